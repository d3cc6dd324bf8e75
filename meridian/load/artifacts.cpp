#include <meridian/load/artifacts.hpp>

#include <load_contracts.hpp>
#include <meridian/base/assert.hpp>
#include <meridian/base/hex.hpp>
#include <meridian/load/failure.hpp>

#include <boost/json.hpp>

#include <fstream>
#include <sstream>

namespace meridian::load {
namespace {

namespace json = boost::json;

Bytes embedded(std::string_view code) {
    auto out = from_hex(code);
    MERIDIAN_ASSERT(out);  // the build made it
    return std::move(*out);
}

const json::value* find_code(const json::value& artifact) {
    boost::system::error_code ec;
    if (const json::value* object = artifact.find_pointer("/evm/bytecode/object", ec))
        return object;
    return artifact.find_pointer("/bytecode", ec);
}

}  // namespace

Bytes token_code() {
    return embedded(kLoadTokenCode);
}

Bytes distributor_code() {
    return embedded(kDistributorCode);
}

Bytes artifact_code(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    if (!file)
        throw LoadFailure("cannot read " + path +
                          "; --artifacts names the folder with the compiled contracts");
    boost::system::error_code ec;
    const json::value artifact = json::parse(text.str(), ec);
    const json::value* code = ec ? nullptr : find_code(artifact);
    if (code == nullptr || !code->is_string())
        throw LoadFailure(path + ": neither `bytecode` nor `evm.bytecode.object` is a text there");
    auto out = from_hex(std::string_view(code->get_string()));
    if (!out || out->empty())
        throw LoadFailure(path + ": its bytecode is not hexadecimal (are there unlinked libraries?)");
    return std::move(*out);
}

}  // namespace meridian::load
