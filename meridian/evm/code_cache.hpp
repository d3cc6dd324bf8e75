// Translated code by hash, and the memory that frames borrow. For one thread; keep it as long as possible.
#pragma once

#include <meridian/evm/analysis.hpp>
#include <meridian/evm/frame.hpp>
#include <meridian/evm/translator.hpp>

#include <unordered_map>

namespace meridian::evm {

class CodeCache {
public:
    // `bytes_max` bounds what is kept between transactions.
    explicit CodeCache(std::size_t bytes_max = std::size_t{256} << 20);
    ~CodeCache();
    CodeCache(const CodeCache&) = delete;
    CodeCache& operator=(const CodeCache&) = delete;

    // Valid until the next trim(). `hash` is the hash of `bytes`.
    Code& find(const Hash& hash, BytesView bytes, Revision revision, bool stepped);
    Translator& translator() noexcept { return m_translator; }
    FramePool& frames() noexcept { return m_frames; }
    // Between transactions: forgets all code if it has grown too large.
    void trim();
    // The same, however large it is.
    void clear();

private:
    struct Key {
        Hash hash;
        Revision revision;
        bool stepped;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<Hash>{}(key.hash) + static_cast<std::size_t>(key.revision) * 2 + key.stepped;
        }
    };

    std::size_t m_bytes_max;
    Translator m_translator;
    FramePool m_frames;
    std::unordered_map<Key, std::unique_ptr<Code>, KeyHash> m_codes;
    Code* m_last = nullptr;
    Key m_last_key{};
};

}  // namespace meridian::evm
