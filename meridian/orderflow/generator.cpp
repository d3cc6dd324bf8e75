#include <meridian/orderflow/generator.hpp>

#include <bit>

namespace meridian::orderflow {

using namespace modules::exchange;

namespace {

constexpr Price kMiddle = 100'000;

// SplitMix64.
class Random {
public:
    explicit Random(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(next() % bound); }
    // Each half as likely as the one before: few far ones.
    std::uint32_t distance() {
        const auto octave = static_cast<std::uint32_t>(std::countr_zero(next() | 1u << 9));
        return (1u << octave) + below(1u << octave);
    }

private:
    std::uint64_t m_state;
};

struct Live {
    std::uint32_t book;
    Side side;
    OrderId id;
    Size left;
};

class ItchMix {
public:
    ItchMix(std::uint64_t seed, std::uint32_t books) : m_random(seed), m_books(books) {}

    void message(std::vector<Generated>& out) {
        const std::uint32_t kind = m_random.below(100);
        if (kind < 46 || m_live.empty())
            return add(out, m_random.below(m_books), m_random.below(2) == 0 ? Side::Buy : Side::Sell);
        const std::uint32_t at = m_random.below(static_cast<std::uint32_t>(m_live.size()));
        const Live order = m_live[at];
        if (kind < 87)
            return take(out, at, order.left);
        if (kind < 93) {
            take(out, at, order.left);
            return add(out, order.book, order.side);
        }
        // Half of the executions leave nothing.
        const bool whole = kind < 98 && m_random.below(2) == 0;
        take(out, at, whole || order.left == 1 ? order.left : 1 + order.left / 3);
    }

private:
    void add(std::vector<Generated>& out, std::uint32_t book, Side side) {
        const std::uint32_t distance = m_random.distance();
        const Size size = 100 * (1 + m_random.below(10));
        const OrderId id = ++m_last_id;
        out.push_back({book,
                       {.kind = CommandKind::Add,
                        .side = side,
                        .price = side == Side::Buy ? kMiddle - distance : kMiddle + distance,
                        .id = id,
                        .size = size}});
        m_live.push_back({book, side, id, size});
    }
    void take(std::vector<Generated>& out, std::uint32_t at, Size size) {
        Live& order = m_live[at];
        out.push_back({order.book, {.kind = CommandKind::Take, .id = order.id, .size = size}});
        order.left -= size;
        if (order.left == 0) {
            order = m_live.back();
            m_live.pop_back();
        }
    }

    Random m_random;
    std::uint32_t m_books;
    OrderId m_last_id = 0;
    std::vector<Live> m_live;
};

}  // namespace

std::vector<Generated> generate_itch_mix(std::uint64_t seed, std::uint32_t books, std::size_t count) {
    ItchMix mix(seed, books);
    std::vector<Generated> out;
    out.reserve(count + count / 16);
    for (std::size_t i = 0; i < count; ++i)
        mix.message(out);
    return out;
}

}  // namespace meridian::orderflow
