#include <meridian/sequencer/clock.hpp>

#include <chrono>

namespace meridian::sequencer {

namespace {
template <class C>
std::uint64_t now_us() {
    using std::chrono::duration_cast, std::chrono::microseconds;
    return static_cast<std::uint64_t>(duration_cast<microseconds>(C::now().time_since_epoch()).count());
}
}  // namespace

std::uint64_t SystemClock::wall_us() {
    return now_us<std::chrono::system_clock>();
}

std::uint64_t SystemClock::steady_us() {
    return now_us<std::chrono::steady_clock>();
}

}  // namespace meridian::sequencer
