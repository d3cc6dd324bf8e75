#include "modules.hpp"

#include <meridian/config/nearest.hpp>
#include <meridian/modules/exchange/exchange_module.hpp>

#include <examples/counter/counter.hpp>

#include <algorithm>

namespace meridian::app {
namespace {

// A new vertical needs a line here, and one in CMakeLists.txt.
std::vector<std::shared_ptr<const module::Module>> all_modules() {
    return {std::make_shared<examples::Counter>(), std::make_shared<modules::exchange::ExchangeModule>()};
}

std::string unknown(std::string_view name, std::span<const std::string> known, const std::string& what) {
    const auto meant = config::nearest_name(name, known);
    return "there is no " + what + " \"" + std::string(name) + "\"" +
           (meant ? "; did you mean " + *meant + "?" : "");
}

Result<void, std::string> check_names(const module::Module& module, const module::ParameterValues& values) {
    std::vector<std::string> known;
    for (const module::Parameter& parameter : module.parameters())
        known.emplace_back(parameter.name);
    for (const auto& [name, value] : values)
        if (std::ranges::find(known, name) == known.end())
            return fail("modules." + std::string(module.name()) + ": " + unknown(name, known, "parameter"));
    return {};
}

}  // namespace

Result<std::shared_ptr<const module::ModuleSet>, std::string> host_modules(
    const config::ModuleTables& tables) {
    if (tables.empty())
        return nullptr;
    const auto all = all_modules();
    std::vector<std::string> known;
    for (const auto& module : all)
        known.emplace_back(module->name());
    auto set = std::make_shared<module::ModuleSet>();
    for (const auto& [name, values] : tables) {
        const auto found = std::ranges::find(known, name);
        if (found == known.end())
            return fail("modules." + name + ": " + unknown(name, known, "module"));
        const auto& module = all[static_cast<std::size_t>(found - known.begin())];
        if (auto checked = check_names(*module, values); !checked)
            return fail(std::move(checked.error()));
        if (auto added = set->add(module, values); !added)
            return fail(std::move(added.error()));
    }
    if (const auto genesis = module::genesis_of(*set); !genesis)
        return fail(genesis.error());
    return set;
}

Result<config::ModuleTables, std::string> parse_modules(const std::vector<std::string>& items) {
    config::ModuleTables out;
    for (const std::string& item : items) {
        const std::size_t colon = std::min(item.find(':'), item.size());
        auto& values = out[item.substr(0, colon)];
        for (std::size_t at = colon; at < item.size();) {
            const std::size_t end = std::min(item.find(',', at + 1), item.size());
            const std::string setting = item.substr(at + 1, end - at - 1);
            const std::size_t equals = setting.find('=');
            const auto value = parse_u256(setting.substr(std::min(equals, setting.size() - 1) + 1));
            if (equals == std::string::npos || !value)
                return fail("\"" + item + "\": " + (setting.empty() ? item : setting) +
                            ": want NAME, or NAME:KEY=NUMBER,KEY=NUMBER; a number may be 0x and up to 64 "
                            "hexadecimal digits, as an address is");
            values[setting.substr(0, equals)] = *value;
            at = end;
        }
    }
    return out;
}

}  // namespace meridian::app
