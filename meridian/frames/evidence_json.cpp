// Signed headers and evidence as JSON.

#include <meridian/frames/evidence.hpp>

#include <boost/json.hpp>

namespace meridian::frames {

namespace {

namespace json = boost::json;

// A frame as it is published may carry transactions with access lists.
constexpr std::size_t kDepthMax = 16;

// The header's numbers and hashes with their names, in order: one table for writing and reading.
struct NumberField {
    const char* name;
    std::uint64_t (*get)(const FrameHeader&);
    void (*set)(FrameHeader&, std::uint64_t);
    std::uint64_t max;
};
struct HashField {
    const char* name;
    Hash FrameHeader::* member;
};

template <auto Member>
constexpr NumberField number_field(const char* name) {
    using Value = std::remove_cvref_t<decltype(std::declval<FrameHeader>().*Member)>;
    return {name, [](const FrameHeader& header) -> std::uint64_t { return header.*Member; },
            [](FrameHeader& header, std::uint64_t value) { header.*Member = static_cast<Value>(value); },
            std::numeric_limits<Value>::max()};
}

constexpr NumberField kNumbers[] = {
    number_field<&FrameHeader::chain_id>("chainId"), number_field<&FrameHeader::term>("term"),
    number_field<&FrameHeader::number>("number"),    number_field<&FrameHeader::block_number>("blockNumber"),
    number_field<&FrameHeader::index>("index"),      number_field<&FrameHeader::timestamp_us>("timestampUs")};
constexpr HashField kHashes[] = {{"parentHash", &FrameHeader::parent_hash},
                                 {"baseHash", &FrameHeader::base_hash},
                                 {"transactionsHash", &FrameHeader::transactions_hash},
                                 {"receiptsHash", &FrameHeader::receipts_hash},
                                 {"changesHash", &FrameHeader::changes_hash}};

json::object to_json(const SignedHeader& head) {
    json::object header;
    for (const NumberField& field : kNumbers)
        header[field.name] = to_quantity(field.get(head.header));
    for (const HashField& field : kHashes)
        header[field.name] = to_hex0x(head.header.*field.member);
    json::object out;
    out["header"] = std::move(header);
    out["hash"] = to_hex0x(head.hash);
    out["signature"] = to_hex0x(head.signature);
    return out;
}

std::unexpected<std::string> wrong(std::string_view member, std::string_view what) {
    return fail(std::string(member) + ": " + std::string(what));
}

Result<std::string_view, std::string> text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr)
        return wrong(name, "missing");
    if (!value->is_string())
        return wrong(name, "has to be a string of hexadecimal digits");
    return std::string_view(value->get_string());
}

Result<std::uint64_t, std::string> number_of(const json::object& object, const NumberField& field) {
    const auto text = text_of(object, field.name);
    if (!text)
        return fail(text.error());
    std::string_view digits = *text;
    if (!digits.starts_with("0x") || digits.size() < 3 || digits.size() > 18)
        return wrong(field.name, "has to be a quantity of at most 64 bits, as 0x1f");
    digits.remove_prefix(2);
    std::uint64_t value = 0;
    for (const char digit : digits) {
        if (hex_digit(digit) < 0)
            return wrong(field.name, "has to be a quantity, as 0x1f");
        value = value << 4 | static_cast<std::uint64_t>(hex_digit(digit));
    }
    if (value > field.max)
        return wrong(field.name, "is too large");
    return value;
}

template <std::size_t N>
Result<FixedBytes<N>, std::string> bytes_of(const json::object& object, std::string_view name) {
    const auto text = text_of(object, name);
    if (!text)
        return fail(text.error());
    const auto bytes = fixed_from_hex<N>(*text);
    if (!text->starts_with("0x") || !bytes)
        return wrong(name, "has to be 0x and " + std::to_string(2 * N) + " hexadecimal digits");
    return *bytes;
}

Result<void, std::string> check_members(const json::object& object,
                                        std::initializer_list<std::string_view> known) {
    for (const auto& member : object)
        if (std::find(known.begin(), known.end(), std::string_view(member.key())) == known.end())
            return wrong(member.key(), "unknown member");
    return {};
}

Result<FrameHeader, std::string> header_from(const json::object& object, const std::string& within) {
    FrameHeader header;
    for (const NumberField& field : kNumbers) {
        const auto value = number_of(object, field);
        if (!value)
            return fail(within + value.error());
        field.set(header, *value);
    }
    for (const HashField& field : kHashes) {
        const auto value = bytes_of<32>(object, field.name);
        if (!value)
            return fail(within + value.error());
        header.*field.member = *value;
    }
    return header;
}

Result<FrameHeader, std::string> nested_header(const json::object& object) {
    if (auto known = check_members(object, {"header", "hash", "signature"}); !known)
        return fail(std::move(known.error()));
    const json::value& header = object.at("header");
    if (!header.is_object())
        return wrong("header", "has to be an object");
    if (auto known = check_members(header.get_object(), {"chainId", "term", "number", "blockNumber", "index",
                                                         "timestampUs", "parentHash", "baseHash",
                                                         "transactionsHash", "receiptsHash", "changesHash"});
        !known)
        return fail(std::move(known.error()));
    return header_from(header.get_object(), "header.");
}

// What a subscriber has kept: the whole notification, or what it says.
const json::object& without_envelope(const json::object& object) {
    const json::value* inner = object.if_contains("params");
    if (inner != nullptr && inner->is_object())
        return without_envelope(inner->get_object());
    inner = object.if_contains("result");
    return inner != nullptr && inner->is_object() ? inner->get_object() : object;
}

// As signed_header_json() writes it, or a frame as subscribers get it, whose header's fields stand among
// others.
Result<SignedHeader, std::string> signed_header_from(const json::value& value) {
    if (!value.is_object())
        return fail(std::string("a signed header has to be an object"));
    const json::object& object = without_envelope(value.get_object());
    const bool published = !object.contains("header") && object.contains("transactionsHash");
    if (!published && !object.contains("header"))
        return wrong("header", "missing");
    const auto parsed = published ? header_from(object, "") : nested_header(object);
    if (!parsed)
        return fail(parsed.error());
    const auto signature = bytes_of<65>(object, "signature");
    if (!signature)
        return fail(signature.error());
    SignedHeader out{*parsed, frame_hash(*parsed), *signature};
    if (!object.contains("hash"))
        return out;
    const auto hash = bytes_of<32>(object, "hash");
    if (!hash)
        return fail(hash.error());
    if (*hash != out.hash)
        return wrong("hash", "is not that of the header, which is " + to_hex0x(out.hash));
    return out;
}

Result<json::value, std::string> parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = kDepthMax;
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, options);
    if (error)
        return fail("not JSON: " + error.message());
    return value;
}

}  // namespace

std::string signed_header_json(const SignedHeader& head) {
    return json::serialize(to_json(head));
}

Result<SignedHeader, std::string> parse_signed_header(std::string_view text) {
    const auto value = parse(text);
    if (!value)
        return fail(value.error());
    return signed_header_from(*value);
}

std::string evidence_json(const Evidence& evidence) {
    json::object out;
    out["chainId"] = to_quantity(evidence.chain_id());
    out["number"] = to_quantity(evidence.number());
    out["signer"] = to_hex0x(evidence.signer);
    out["first"] = to_json(evidence.first);
    out["second"] = to_json(evidence.second);
    out["calldata"] = to_hex0x(evidence_calldata(evidence));
    return json::serialize(out);
}

Result<std::pair<SignedHeader, SignedHeader>, std::string> parse_evidence(std::string_view text) {
    const auto value = parse(text);
    if (!value)
        return fail(value.error());
    if (!value->is_object())
        return fail(std::string("evidence has to be an object"));
    const json::object& object = value->get_object();
    if (auto known = check_members(object, {"chainId", "number", "signer", "first", "second", "calldata"});
        !known)
        return fail(std::move(known.error()));
    std::array<SignedHeader, 2> heads;
    for (std::size_t i = 0; i < 2; ++i) {
        const char* const name = i == 0 ? "first" : "second";
        const json::value* member = object.if_contains(name);
        if (member == nullptr)
            return wrong(name, "missing");
        const auto head = signed_header_from(*member);
        if (!head)
            return fail(std::string(name) + "." + head.error());
        heads[i] = *head;
    }
    return std::pair(heads[0], heads[1]);
}

}  // namespace meridian::frames
