// Reading chain.toml, and writing one that says what there is.
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/config/schema.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace meridian::config {

// A file has at most this size.
inline constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

struct Problem {
    std::string file;
    std::uint32_t line = 0;    // from 1; zero: the file as a whole
    std::uint32_t column = 0;  // from 1, in code points
    std::string key;           // "frames.interval_ms"; empty if none is concerned
    std::string message;

    // "chain.toml:3:1: unknown key ..."
    std::string text() const;
};
using Problems = std::vector<Problem>;

// Puts what the text says into the sections' slots. All problems, in order of the text; the slots of keys
// without a problem are set all the same. A text that is no TOML has one.
Problems parse(std::string_view text, const std::string& file, const std::vector<Section>& sections);

// The whole: the sections of a node, and what keys have to fulfil together.
Result<NodeConfig, Problems> parse_node_config(std::string_view text, const std::string& file);
// Reads the file; paths in the result are relative to its folder no more. A file that cannot be read is a
// problem too.
Result<NodeConfig, Problems> load_node_config(const std::string& path);

// The file (none if the path is empty), and then settings of the command line: SECTION.KEY=VALUE each, the
// value as in TOML or, of texts and lists, without quotes and brackets. Their problems name the setting in
// place of the file.
Result<NodeConfig, Problems> load_with_settings(const std::string& path,
                                                const std::vector<std::string>& settings);

// chain.toml with every key at its default, each with its description, type and unit as a comment.
std::string default_text(const std::vector<Section>& sections);
// The same as Markdown tables.
std::string markdown_table(const std::vector<Section>& sections);

}  // namespace meridian::config
