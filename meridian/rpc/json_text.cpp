#include <meridian/rpc/json_text.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <limits>

namespace meridian::rpc {
namespace {

namespace json = boost::json;
using ErrorCodeRef = boost::system::error_code&;

// What the parser of the library calls; the names and constants are its.
class Builder {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    explicit Builder(std::size_t values_max) : m_left(values_max) {}

    bool overfull() const noexcept { return m_overfull; }
    json::value release() { return m_stack.release(); }

    bool on_document_begin(ErrorCodeRef) {
        m_stack.reset();
        return true;
    }
    bool on_document_end(ErrorCodeRef) { return true; }
    bool on_array_begin(ErrorCodeRef ec) {
        if (m_depth == 0)
            m_is_batch = true;
        return open(ec);
    }
    bool on_array_end(std::size_t count, ErrorCodeRef) {
        --m_depth;
        m_stack.push_array(count);
        return true;
    }
    bool on_object_begin(ErrorCodeRef ec) { return open(ec); }
    bool on_object_end(std::size_t count, ErrorCodeRef) {
        --m_depth;
        m_stack.push_object(count);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, ErrorCodeRef) {
        m_key.append(part.data(), part.size());
        m_stack.push_chars(part);
        return true;
    }
    bool on_key(json::string_view part, std::size_t, ErrorCodeRef) {
        m_key.append(part.data(), part.size());
        m_is_identifier = m_key == "id" && m_depth == (m_is_batch ? 2u : 1u);
        m_key.clear();
        m_stack.push_key(part);
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, ErrorCodeRef) {
        m_stack.push_chars(part);
        return true;
    }
    bool on_string(json::string_view part, std::size_t, ErrorCodeRef ec) {
        if (!count(ec))
            return false;
        m_stack.push_string(part);
        return true;
    }
    bool on_number_part(json::string_view part, ErrorCodeRef) {
        note_digits(part);
        return true;
    }
    bool on_int64(std::int64_t number, json::string_view, ErrorCodeRef ec) {
        if (!count(ec))
            return false;
        m_stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, json::string_view, ErrorCodeRef ec) {
        if (!count(ec))
            return false;
        m_stack.push_uint64(number);
        return true;
    }
    bool on_double(double number, json::string_view part, ErrorCodeRef ec) {
        note_digits(part);
        const bool rounded = m_is_identifier && !m_has_fraction;
        if (!count(ec))
            return false;
        if (rounded)
            m_stack.push_array(0);
        else
            m_stack.push_double(number);
        return true;
    }
    bool on_bool(bool flag, ErrorCodeRef ec) {
        if (!count(ec))
            return false;
        m_stack.push_bool(flag);
        return true;
    }
    bool on_null(ErrorCodeRef ec) {
        if (!count(ec))
            return false;
        m_stack.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, ErrorCodeRef) { return true; }
    bool on_comment(json::string_view, ErrorCodeRef) { return true; }

private:
    // Another value. False if it is one too many.
    bool count(ErrorCodeRef ec) {
        m_is_identifier = false;
        m_has_fraction = false;
        if (m_left-- != 0)
            return true;
        m_overfull = true;
        ec = json::error::array_too_large;
        return false;
    }
    bool open(ErrorCodeRef ec) {
        ++m_depth;
        return count(ec);
    }
    // A number that is no 64-bit integer is an integer all the same if it has neither point nor exponent.
    void note_digits(json::string_view part) {
        m_has_fraction = m_has_fraction || part.find_first_of(".eE") != json::string_view::npos;
    }

    json::value_stack m_stack;
    std::size_t m_left;
    bool m_overfull = false;
    std::size_t m_depth = 0;
    bool m_is_batch = false;
    std::string m_key;
    bool m_is_identifier = false;  // the value to come
    bool m_has_fraction = false;   // of the number being read
};

}  // namespace

std::expected<json::value, RpcError> parse_json(std::string_view text, const JsonBounds& bounds) {
    json::parse_options options;
    options.max_depth = bounds.depth_max;
    json::basic_parser<Builder> parser(options, bounds.values_max);
    boost::system::error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && read < text.size())
        ec = json::error::extra_data;
    if (parser.handler().overfull())
        return std::unexpected(
            RpcError(ErrorCode::InvalidRequest,
                     "too many JSON values (at most " + std::to_string(bounds.values_max) + ")"));
    if (ec)
        return std::unexpected(RpcError(ErrorCode::ParseError, "parse error: " + ec.message()));
    return parser.handler().release();
}

}  // namespace meridian::rpc
