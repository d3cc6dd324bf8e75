// The native modules that this program has, and which of them a chain hosts.
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/config/node_config.hpp>
#include <meridian/module/module.hpp>

#include <memory>
#include <string>
#include <vector>

namespace meridian::app {

// Null for a chain without modules. The error is a sentence.
Result<std::shared_ptr<const module::ModuleSet>, std::string> host_modules(
    const config::ModuleTables& tables);

// Of a command line: NAME, or NAME:KEY=NUMBER,KEY=NUMBER ... The error is a sentence.
Result<config::ModuleTables, std::string> parse_modules(const std::vector<std::string>& items);

}  // namespace meridian::app
