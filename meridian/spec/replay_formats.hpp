// The formats of recorded blocks. Internal to meridian/spec.
//
// A reader throws FieldFailure for the offending value; those that read several files return their errors.
#pragma once

#include <meridian/spec/replay.hpp>

#include <map>
#include <memory>

namespace meridian::spec {

using CasePtr = std::unique_ptr<ReplayCase>;

// What risechain/pevm's blocks share, in the folder above theirs.
struct PevmShared {
    std::map<Hash, Bytes> codes;
    std::map<std::uint64_t, Hash> block_hashes;
};
Result<std::shared_ptr<PevmShared>, InputError> load_pevm_shared(const std::string& folder);
// A folder with block.json and pre_state.json: whole accounts, no state root.
Result<CasePtr, InputError> load_pevm(const std::string& folder, const PevmShared& shared);

// A folder with block.json, prestatetrace.json and difftrace.json (matter-labs/zksync-os): answers of
// eth_getBlockByNumber and of the prestate tracer, plain and with differences. No state root.
Result<CasePtr, InputError> load_block_traces(const std::string& folder);

// A cache of RPC answers with proofs before and after the block (risc0/zeth). `path` is the file's.
CasePtr read_zeth(const Json& json, const std::string& path);
// A block's attributes with every preimage (op-rs/kona).
CasePtr read_kona(const Json& json);
// A block with its parent's partial tries spelt out node by node (taikoxyz/raiko).
CasePtr read_raiko(const Json& json);
// A part of a client's database (status-im/nimbus-eth1): headers, ommers, tries and codes by their keys.
CasePtr read_nimbus(const Json& json);

// Blocks as JSON-RPC gives them, with whole transactions.
chain::Block read_rpc_block(const Json& json);

// Parses a document and reads it by `read`, which may throw FieldFailure.
template <class Read>
auto read_text(std::string_view text, const std::string& path, const Read& read)
    -> Result<decltype(read(std::declval<const Json&>())), InputError> {
    auto document = Document::parse(text, path);
    if (!document)
        return fail(document.error());
    try {
        return read(document->root());
    } catch (const FieldFailure& failure) {
        return fail(document->error(failure));
    }
}

template <class Read>
auto read_document(const std::string& path, const Read& read)
    -> Result<decltype(read(std::declval<const Json&>())), InputError> {
    const auto content = read_file(path);
    if (!content)
        return fail(content.error());
    return read_text(*content, path, read);
}

// Decodes an era1 file, and checks the chain of its blocks and each block's roots. Empty if all is well.
std::string check_era1(const std::string& path);

}  // namespace meridian::spec
