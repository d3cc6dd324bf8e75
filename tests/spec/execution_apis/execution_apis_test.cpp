// execution-apis: its chain is imported, and every conversation is held with our dispatcher.

#include "../vector_files.hpp"
#include "io_case.hpp"

#include <meridian/node/import.hpp>
#include <meridian/rpc/dispatcher.hpp>

#include <gtest/gtest.h>

#include <fstream>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;

fs::path suite_folder() {
    const fs::path pack = testdata("rpc");
    return pack.empty() ? pack : pack / "execution-apis/tests";
}

// The chain as the suite's clients have it: imported to its head, not mining.
class Node {
public:
    explicit Node(const fs::path& folder)
        : m_chain(*node::parse_genesis(read_text(folder / "genesis.json")), options()),
          m_service(m_chain, service_options(), &m_chain),
          m_dispatcher(m_service) {
        const std::string rlp = read_text(folder / "chain.rlp");
        const auto imported = node::import_blocks(m_chain, as_bytes(rlp), {});
        if (!imported)
            throw std::runtime_error(imported.error().message());
    }

    node::DevChain& chain() { return m_chain; }
    boost::json::value ask(const std::string& request) {
        return boost::json::parse(m_dispatcher.handle(request));
    }

private:
    static node::ChainOptions options() {
        node::ChainOptions out;
        out.mining.automine = false;
        return out;
    }
    static rpc::ServiceOptions service_options() {
        rpc::ServiceOptions out;
        out.client_version = "Meridian/test";
        return out;
    }

    node::DevChain m_chain;
    rpc::Service m_service;
    rpc::Dispatcher m_dispatcher;
};

void hold(Node& node, const fs::path& file) {
    const IoCase io = parse_io(read_text(file));
    for (const Exchange& exchange : io.exchanges) {
        const auto got = node.ask(exchange.request);
        const auto found =
            io.speconly ? shape_differences(got, exchange.response) : differences(got, exchange.response);
        for (const std::string& line : found)
            ADD_FAILURE() << line;
    }
}

TEST(ExecutionApis, ImportsTheChain) {
    const fs::path folder = suite_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    Node node(folder);
    const auto forkchoice = read_json(folder / "headfcu.json");
    EXPECT_EQ(to_hex0x(node.chain().head()->hash),
              forkchoice.at("params").at(0).at("headBlockHash").as_string().c_str());
}

TEST(ExecutionApis, HoldsEveryConversation) {
    const fs::path folder = suite_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    Node node(folder);
    std::size_t count = 0;
    for (const fs::path& file : files_below(folder, ".io")) {
        SCOPED_TRACE(fs::relative(file, folder).string());
        hold(node, file);
        ++count;
    }
    EXPECT_GT(count, 100u);
}

TEST(ExecutionApis, RefusesABrokenChain) {
    const fs::path folder = suite_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    const auto genesis = node::parse_genesis(read_text(folder / "genesis.json"));
    ASSERT_TRUE(genesis);
    Bytes rlp = to_bytes(as_bytes(read_text(folder / "chain.rlp")));
    // Whatever byte changes, some block does not fit any more: each is covered by a hash.
    for (const std::size_t place : {rlp.size() - 1, rlp.size() / 2, std::size_t{700}}) {
        Bytes broken = rlp;
        broken[place] ^= 0x01;
        node::DevChain chain(*genesis, {});
        const auto imported = node::import_blocks(chain, broken, {});
        ASSERT_FALSE(imported) << place;
        EXPECT_FALSE(imported.error().message().empty());
    }
    node::DevChain chain(*genesis, {});
    EXPECT_FALSE(node::import_blocks(chain, BytesView{rlp}.first(rlp.size() - 1), {}));
}

TEST(ExecutionApis, TheComparisonFindsDifferences) {
    using boost::json::parse;
    EXPECT_TRUE(differences(parse(R"({"a":[1,2]})"), parse(R"({"a":[1,2]})")).empty());
    EXPECT_FALSE(differences(parse(R"({"a":[1,2]})"), parse(R"({"a":[1,3]})")).empty());
    EXPECT_FALSE(differences(parse(R"({"a":1})"), parse(R"({})")).empty());
    EXPECT_FALSE(differences(parse(R"({})"), parse(R"({"a":1})")).empty());
    EXPECT_TRUE(shape_differences(parse(R"({"a":"x"})"), parse(R"({"a":"y"})")).empty());
    EXPECT_FALSE(shape_differences(parse(R"({"a":"x"})"), parse(R"({"a":1})")).empty());
    EXPECT_FALSE(shape_differences(parse(R"({"error":{"code":1}})"), parse(R"({"result":1})")).empty());
}

}  // namespace
}  // namespace meridian::spec
