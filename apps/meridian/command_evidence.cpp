// meridian evidence: looks at signed frame headers, and says whether two of them convict their signer.
//
// Exit codes: 0 evidence (check), or a header that was shown or taken out of a log; 1 no evidence; 2 wrong
// arguments, or a file that cannot be used.
#include "commands.hpp"
#include "number_option.hpp"
#include "stored_log.hpp"

#include <meridian/frames/disk.hpp>
#include <meridian/frames/evidence.hpp>
#include <meridian/frames/frame_log.hpp>

#include <cstdio>
#include <memory>
#include <utility>

namespace meridian::app {
namespace {

using frames::SignedHeader;

struct EvidenceOptions {
    std::string first;
    std::string second;
    std::uint64_t number = 0;
    std::string output;
    bool json = false;
};

// What a file may hold: a record, a signed header as JSON, or evidence as `check --json` prints it.
using Headers = std::vector<SignedHeader>;

Result<Bytes, std::string> read_file(const std::string& path) {
    const auto file = frames::posix_disk().open(path, frames::OpenMode::Read);
    if (!file)
        return fail(file.error().message);
    const auto size = (*file)->size();
    if (!size)
        return fail(size.error().message);
    if (*size > frames::kRecordSizeMax)
        return fail(path + ": " + std::to_string(*size) + " bytes are more than a frame's record may have, " +
                    std::to_string(frames::kRecordSizeMax));
    Bytes bytes(static_cast<std::size_t>(*size));
    const auto got = (*file)->read_at(0, bytes);
    if (!got)
        return fail(got.error().message);
    bytes.resize(*got);
    return bytes;
}

bool looks_like_json(BytesView bytes) {
    for (const std::uint8_t byte : bytes)
        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n')
            return byte == '{' || byte == '[';
    return false;
}

Result<Headers, std::string> parse_headers(BytesView bytes) {
    const auto record = frames::peek(bytes);
    if (record)
        return Headers{record->head};
    if (!looks_like_json(bytes))
        return fail("no record of a frame (" + record.error().message + "), and no JSON");
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (auto both = frames::parse_evidence(text))
        return Headers{both->first, both->second};
    auto head = frames::parse_signed_header(text);
    if (!head)
        return fail(std::move(head.error()));
    return Headers{*head};
}

Result<Headers, std::string> load_headers(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes)
        return fail(bytes.error());
    auto headers = parse_headers(*bytes);
    if (!headers)
        return fail(path + ": " + headers.error());
    return headers;
}

int refuse_file(const std::string& reason) {
    std::fprintf(stderr, "meridian: %s\n", reason.c_str());
    return kExitUsage;
}

std::string signer_text(const SignedHeader& head) {
    const auto signer = frames::recover_signer(head);
    return signer ? to_hex0x(*signer) : "none: the signature does not recover to an address";
}

void print_header(const SignedHeader& head) {
    const frames::FrameHeader& header = head.header;
    const auto number = [](const char* name, std::uint64_t value) {
        std::printf("%-18s %llu\n", name, static_cast<unsigned long long>(value));
    };
    const auto text = [](const char* name, const std::string& value) {
        std::printf("%-18s %s\n", name, value.c_str());
    };
    number("chain id", header.chain_id);
    number("frame", header.number);
    number("block", header.block_number);
    number("index", header.index);
    number("term", header.term);
    number("timestamp us", header.timestamp_us);
    text("hash", to_hex0x(head.hash));
    text("parent hash", to_hex0x(header.parent_hash));
    text("base hash", to_hex0x(header.base_hash));
    text("transactions hash", to_hex0x(header.transactions_hash));
    text("receipts hash", to_hex0x(header.receipts_hash));
    text("changes hash", to_hex0x(header.changes_hash));
    text("signature", to_hex0x(head.signature));
    text("signer", signer_text(head));
}

int show(const EvidenceOptions& options) {
    const auto headers = load_headers(options.first);
    if (!headers)
        return refuse_file(headers.error());
    for (std::size_t i = 0; i < headers->size(); ++i) {
        if (options.json)
            std::printf("%s\n", frames::signed_header_json((*headers)[i]).c_str());
        else if (i > 0)
            std::printf("\n");
        if (!options.json)
            print_header((*headers)[i]);
    }
    return 0;
}

Result<void, std::string> write_file(const std::string& path, BytesView bytes) {
    frames::Disk& disk = frames::posix_disk();
    const auto file = disk.create(path);
    if (!file)
        return fail(file.error().message);
    auto done = (*file)->append(bytes);
    if (done)
        done = (*file)->sync();
    if (!done)
        return fail(done.error().message);
    return {};
}

// A frame out of a log, also of one that is in use, or damaged elsewhere.
int extract(const EvidenceOptions& options) {
    std::error_code ignored;
    const std::string inner = frames_folder(options.first);
    const bool data_folder = std::filesystem::is_directory(inner, ignored);
    const auto record =
        frames::read_record(frames::posix_disk(), data_folder ? inner : options.first, options.number);
    if (!record)
        return refuse_file(record.error().message);
    if (!options.output.empty())
        if (const auto written = write_file(options.output, *record); !written)
            return refuse_file(written.error());
    const SignedHeader head = frames::peek(*record)->head;  // as it was checked when it was read
    if (options.json)
        std::printf("%s\n", frames::signed_header_json(head).c_str());
    else
        print_header(head);
    return 0;
}

int report_none(const EvidenceOptions& options, frames::EvidenceError error) {
    const std::string reason(to_string(error));
    if (options.json)
        std::printf("{\"evidence\":false,\"reason\":\"%s\"}\n", reason.c_str());
    else
        std::printf("No evidence: %s\n", reason.c_str());
    return kExitFailed;
}

int report(const EvidenceOptions& options, const frames::Evidence& evidence) {
    if (options.json) {
        std::printf("%s\n", frames::evidence_json(evidence).c_str());
        return 0;
    }
    std::printf("Evidence: %s signed two frames %llu of chain %llu\n", to_hex0x(evidence.signer).c_str(),
                static_cast<unsigned long long>(evidence.number()),
                static_cast<unsigned long long>(evidence.chain_id()));
    std::printf("  %s\n  %s\n", to_hex0x(evidence.first.hash).c_str(),
                to_hex0x(evidence.second.hash).c_str());
    return 0;
}

int check(const EvidenceOptions& options) {
    auto headers = load_headers(options.first);
    if (!headers)
        return refuse_file(headers.error());
    if (!options.second.empty()) {
        const auto others = load_headers(options.second);
        if (!others)
            return refuse_file(others.error());
        headers->insert(headers->end(), others->begin(), others->end());
    }
    if (headers->size() != 2)
        return refuse_file("evidence is two signed headers, not " + std::to_string(headers->size()) +
                           ": give two files with one each, or one with both");
    const auto evidence = frames::check_evidence((*headers)[0], (*headers)[1]);
    return evidence ? report(options, *evidence) : report_none(options, evidence.error());
}

}  // namespace

void add_evidence_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("evidence", "Check whether a sequencer signed two frames of one number");
    command->require_subcommand(1);
    auto options = std::make_shared<EvidenceOptions>();
    CLI::App* checking = command->add_subcommand(
        "check",
        "Say whether two signed headers convict their signer. Exit code 0: they do; 1: they do not; "
        "2: a file cannot be used");
    checking
        ->add_option("A", options->first,
                     "File with a frame's record, its signed header as JSON, or evidence as --json prints it")
        ->required();
    checking->add_option("B", options->second, "The other frame's; not needed if A is evidence");
    CLI::App* showing =
        command->add_subcommand("show", "Print the signed header in a file, and who signed it");
    showing->add_option("FILE", options->first, "File as above")->required();
    CLI::App* extracting = command->add_subcommand(
        "extract", "Take a frame out of a node's log: print its signed header, and keep its record");
    extracting->add_option("DATA", options->first, "Data folder of a node, or the folder of its frame log")
        ->required();
    extracting->add_option("NUMBER", options->number, "Number of the frame")
        ->required()
        ->transform(whole_number(1));
    extracting->add_option("-o,--output", options->output, "File to write the record to; it must not exist");
    extracting->callback([options, &exit_code] { exit_code = extract(*options); });
    for (CLI::App* each : {checking, showing, extracting})
        each->add_flag("--json", options->json,
                       each == checking ? "Print the evidence as a JSON object, with the call of the contract"
                                        : "Print one JSON object a line");
    checking->callback([options, &exit_code] { exit_code = check(*options); });
    showing->callback([options, &exit_code] { exit_code = show(*options); });
}

}  // namespace meridian::app
