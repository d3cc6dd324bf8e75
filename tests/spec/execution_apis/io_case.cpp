#include "io_case.hpp"

#include <sstream>
#include <stdexcept>

namespace meridian::spec {
namespace {

namespace json = boost::json;

class Comparison {
public:
    explicit Comparison(bool shape_only) : m_shape_only(shape_only) {}

    void compare(const json::value& got, const json::value& want, const std::string& path) {
        if (m_shape_only && (got.is_null() || want.is_null()))
            return;
        if (got.is_object() && want.is_object())
            return compare(got.get_object(), want.get_object(), path);
        if (got.is_array() && want.is_array())
            return compare(got.get_array(), want.get_array(), path);
        const bool same_kind = got.kind() == want.kind() || (got.is_number() && want.is_number());
        const bool equal = got == want || (got.is_number() && want.is_number() &&
                                           got.to_number<double>() == want.to_number<double>());
        if (m_shape_only ? !same_kind : !equal)
            add(path, json::serialize(got), json::serialize(want));
    }

    std::vector<std::string> take() { return std::move(m_found); }

private:
    void add(const std::string& path, const std::string& got, const std::string& want) {
        m_found.push_back(path + ": got " + got.substr(0, 200) + ", want " + want.substr(0, 200));
    }

    void compare(const json::object& got, const json::object& want, const std::string& path) {
        for (const auto& [key, value] : want) {
            const std::string inner = path + "." + std::string(key);
            const json::value* found = got.if_contains(key);
            if (found != nullptr)
                compare(*found, value, inner);
            else if (!m_shape_only)
                add(inner, "nothing", json::serialize(value));
        }
        for (const auto& [key, value] : got)
            if (!m_shape_only && !want.contains(key))
                add(path + "." + std::string(key), json::serialize(value), "nothing");
    }

    void compare(const json::array& got, const json::array& want, const std::string& path) {
        if (!m_shape_only && got.size() != want.size())
            add(path, std::to_string(got.size()) + " elements", std::to_string(want.size()));
        for (std::size_t i = 0; i < got.size() && i < want.size(); ++i)
            compare(got[i], want[i], path + "[" + std::to_string(i) + "]");
    }

    bool m_shape_only;
    std::vector<std::string> m_found;
};

// Without what the checker does not look at.
json::value without_message(json::value response) {
    if (auto* object = response.if_object())
        if (auto* error = object->if_contains("error"); error != nullptr && error->is_object())
            error->get_object().erase("message");
    return response;
}

bool is_error(const json::value& response) {
    return response.is_object() && response.get_object().contains("error");
}

}  // namespace

IoCase parse_io(const std::string& text) {
    IoCase out;
    std::istringstream lines(text);
    std::string pending;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("// speconly:")) {
            out.speconly = true;
        } else if (line.starts_with(">> ")) {
            pending = line.substr(3);
        } else if (line.starts_with("<< ")) {
            if (pending.empty())
                throw std::runtime_error("a response without a request");
            out.exchanges.push_back({std::exchange(pending, {}), json::parse(line.substr(3))});
        } else if (!line.empty() && !line.starts_with("//")) {
            throw std::runtime_error("not a line of a conversation: " + line.substr(0, 80));
        }
    }
    if (!pending.empty() || out.exchanges.empty())
        throw std::runtime_error("a request without a response");
    return out;
}

std::vector<std::string> differences(const json::value& got, const json::value& want) {
    Comparison comparison(false);
    comparison.compare(without_message(got), without_message(want), "");
    return comparison.take();
}

std::vector<std::string> shape_differences(const json::value& got, const json::value& want) {
    if (is_error(got) != is_error(want))
        return {"got " + json::serialize(got).substr(0, 200) + ", want " +
                json::serialize(want).substr(0, 200)};
    Comparison comparison(true);
    comparison.compare(without_message(got), without_message(want), "");
    return comparison.take();
}

}  // namespace meridian::spec
