// The one way in which a function of the pure tier fails: an expected value or a domain's error enum.
#pragma once

#include <expected>
#include <utility>

namespace meridian {

template <class T, class E>
using Result = std::expected<T, E>;

template <class E>
constexpr std::unexpected<std::decay_t<E>> fail(E&& error) {
    return std::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace meridian
