// The trie as the yellow paper defines it (appendix D, functions c and n): recursive, from scratch each
// time, sharing no code with the real one but Keccak. What tests and fuzzers compare against.
#pragma once

#include <meridian/crypto/keccak.hpp>

#include <map>

namespace meridian::trie::test {

// A reproducible sequence (SplitMix64).
class Random {
public:
    explicit Random(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t limit) { return next() % limit; }
    Bytes bytes(std::size_t size) {
        Bytes out(size);
        for (auto& byte : out)
            byte = static_cast<std::uint8_t>(next());
        return out;
    }

private:
    std::uint64_t m_state;
};

class NaiveTrie {
public:
    void put(BytesView key, BytesView value) {
        if (value.empty())
            m_entries.erase(to_bytes(key));
        else
            m_entries[to_bytes(key)] = to_bytes(value);
    }
    const std::map<Bytes, Bytes>& entries() const { return m_entries; }

    Hash root() { return crypto::keccak256(root_node()); }
    // Every node that is referred to by its hash, the root included.
    std::map<Hash, Bytes> nodes() {
        m_nodes.clear();
        const Bytes node = root_node();
        m_nodes[crypto::keccak256(node)] = node;
        return m_nodes;
    }

private:
    using Entry = std::pair<Bytes, Bytes>;  // nibbles of the key, value

    static Bytes with_prefix(const Bytes& payload, unsigned base) {
        Bytes out;
        if (payload.size() < 56) {
            out.push_back(static_cast<std::uint8_t>(base + payload.size()));
        } else {
            Bytes length;
            for (std::size_t n = payload.size(); n > 0; n /= 256)
                length.insert(length.begin(), static_cast<std::uint8_t>(n % 256));
            out.push_back(static_cast<std::uint8_t>(base + 55 + length.size()));
            append(out, length);
        }
        append(out, payload);
        return out;
    }
    static Bytes rlp_string(const Bytes& s) { return s.size() == 1 && s[0] < 128 ? s : with_prefix(s, 128); }
    static Bytes rlp_list(const std::vector<Bytes>& items) {
        Bytes payload;
        for (const Bytes& item : items)
            append(payload, item);
        return with_prefix(payload, 192);
    }
    static Bytes hex_prefix(const Bytes& nibbles, bool leaf) {
        Bytes all{static_cast<std::uint8_t>((leaf ? 2 : 0) + nibbles.size() % 2)};
        if (nibbles.size() % 2 == 0)
            all.push_back(0);
        append(all, nibbles);
        Bytes out;
        for (std::size_t i = 0; i < all.size(); i += 2)
            out.push_back(static_cast<std::uint8_t>(all[i] * 16 + all[i + 1]));
        return out;
    }

    Bytes root_node() {
        std::vector<Entry> all;
        for (const auto& [key, value] : m_entries) {
            Bytes nibbles;
            for (const std::uint8_t byte : key) {
                nibbles.push_back(byte / 16);
                nibbles.push_back(byte % 16);
            }
            all.emplace_back(nibbles, value);
        }
        return all.empty() ? rlp_string({}) : structural(all, 0);
    }
    // n(J, i): how a parent refers to the node of these entries.
    Bytes reference(const std::vector<Entry>& entries, std::size_t depth) {
        if (entries.empty())
            return rlp_string({});
        const Bytes node = structural(entries, depth);
        if (node.size() < 32)
            return node;
        const Hash hash = crypto::keccak256(node);
        m_nodes[hash] = node;
        return rlp_string(to_bytes(hash));
    }
    // c(J, i). Recursion: once a nibble of the longest key.
    Bytes structural(const std::vector<Entry>& entries, std::size_t depth) {
        const Bytes& first = entries[0].first;
        const auto at = [](const Bytes& b, std::size_t i) {
            return b.begin() + static_cast<std::ptrdiff_t>(i);
        };
        if (entries.size() == 1)
            return rlp_list({rlp_string(hex_prefix(Bytes(at(first, depth), first.end()), true)),
                             rlp_string(entries[0].second)});
        std::size_t common = first.size();
        for (const Entry& e : entries) {
            std::size_t n = 0;
            while (n < common && n < e.first.size() && e.first[n] == first[n])
                ++n;
            common = n;
        }
        if (common > depth)
            return rlp_list({rlp_string(hex_prefix(Bytes(at(first, depth), at(first, common)), false)),
                             reference(entries, common)});
        std::vector<std::vector<Entry>> children(16);
        Bytes value;
        for (const Entry& e : entries) {
            if (e.first.size() == depth)
                value = e.second;
            else
                children[e.first[depth]].push_back(e);
        }
        std::vector<Bytes> items;
        for (const auto& child : children)
            items.push_back(reference(child, depth + 1));
        items.push_back(rlp_string(value));
        return rlp_list(items);
    }

    std::map<Bytes, Bytes> m_entries;
    std::map<Hash, Bytes> m_nodes;
};

}  // namespace meridian::trie::test
