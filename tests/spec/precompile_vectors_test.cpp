// The precompiled contracts against other projects' vectors: geth's, the EIPs', besu's, eip1962's and
// c-kzg's. Results, failures and, where a file's prices are those in force, gas are compared.
#include "vector_files.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/crypto/kzg.hpp>
#include <meridian/evm/precompiles.hpp>

#include <gtest/gtest.h>

#include <fstream>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;
using evm::Revision;

struct Call {
    bool ok = false;
    Bytes output;
    std::uint64_t gas = 0;
};

Call call(Revision revision, std::uint16_t number, BytesView input) {
    Address address;
    address[18] = static_cast<std::uint8_t>(number >> 8);
    address[19] = static_cast<std::uint8_t>(number);
    const evm::Precompile* precompile = evm::find_precompile(revision, address);
    if (precompile == nullptr) {
        ADD_FAILURE() << "no precompile at " << number;
        return {};
    }
    Call result;
    result.gas = precompile->gas(input);
    result.ok = precompile->run(input, result.output).has_value();
    return result;
}

enum class Prices { Compare, Outdated };

// A file of geth's form: an array of {Input, Expected, Gas, Name} or {Input, ExpectedError, Name}.
void run_geth_file(const fs::path& file, Revision revision, std::uint16_t address, Prices prices) {
    ASSERT_TRUE(fs::exists(file)) << file;
    const auto cases = read_json(file);
    ASSERT_FALSE(cases.as_array().empty());
    for (const auto& entry : cases.as_array()) {
        const auto& test = entry.as_object();
        SCOPED_TRACE(file.filename().string() + ": " + std::string(test.at("Name").as_string()));
        const Call result = call(revision, address, hex(test.at("Input").as_string()));
        if (test.contains("ExpectedError")) {
            EXPECT_FALSE(result.ok);
            continue;
        }
        EXPECT_TRUE(result.ok);
        EXPECT_EQ(to_hex(result.output), to_hex(hex(test.at("Expected").as_string())));
        if (prices == Prices::Compare) {
            EXPECT_EQ(result.gas, test.at("Gas").to_number<std::uint64_t>());
        }
    }
}

struct VectorFile {
    const char* name;
    Revision revision;
    std::uint16_t address;
    Prices prices = Prices::Compare;
};

void run_files(const fs::path& folder, std::span<const VectorFile> files) {
    for (const auto& file : files)
        run_geth_file(folder / file.name, file.revision, file.address, file.prices);
}

TEST(PrecompileVectors, geth) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    constexpr VectorFile kFiles[] = {
        {"ecRecover.json", Revision::Osaka, 0x01},
        {"modexp.json", Revision::Byzantium, 0x05},
        {"modexp_eip2565.json", Revision::Berlin, 0x05},
        {"modexp_eip7883.json", Revision::Osaka, 0x05},
        {"bn256Add.json", Revision::Istanbul, 0x06},
        {"bn256ScalarMul.json", Revision::Istanbul, 0x07},
        {"bn256Pairing.json", Revision::Istanbul, 0x08},
        {"blake2F.json", Revision::Istanbul, 0x09},
        {"fail-blake2f.json", Revision::Istanbul, 0x09},
        {"pointEvaluation.json", Revision::Cancun, 0x0a},
        {"blsG1Add.json", Revision::Prague, 0x0b},
        {"blsG1Mul.json", Revision::Prague, 0x0c},
        {"blsG1MultiExp.json", Revision::Prague, 0x0c},
        {"blsG2Add.json", Revision::Prague, 0x0d},
        {"blsG2Mul.json", Revision::Prague, 0x0e},
        {"blsG2MultiExp.json", Revision::Prague, 0x0e},
        {"blsPairing.json", Revision::Prague, 0x0f},
        {"blsMapG1.json", Revision::Prague, 0x10},
        {"blsMapG2.json", Revision::Prague, 0x11},
        {"p256Verify.json", Revision::Osaka, 0x100},
        {"fail-blsG1Add.json", Revision::Prague, 0x0b},
        {"fail-blsG1Mul.json", Revision::Prague, 0x0c},
        {"fail-blsG1MultiExp.json", Revision::Prague, 0x0c},
        {"fail-blsG2Add.json", Revision::Prague, 0x0d},
        {"fail-blsG2Mul.json", Revision::Prague, 0x0e},
        {"fail-blsG2MultiExp.json", Revision::Prague, 0x0e},
        {"fail-blsPairing.json", Revision::Prague, 0x0f},
        {"fail-blsMapG1.json", Revision::Prague, 0x10},
        {"fail-blsMapG2.json", Revision::Prague, 0x11},
    };
    run_files(pack / "geth/core/vm/testdata/precompiles", kFiles);
}

TEST(PrecompileVectors, eip2537) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    constexpr VectorFile kFiles[] = {
        {"add_G1_bls.json", Revision::Prague, 0x0b},
        {"mul_G1_bls.json", Revision::Prague, 0x0c},
        {"msm_G1_bls.json", Revision::Prague, 0x0c},
        {"add_G2_bls.json", Revision::Prague, 0x0d},
        {"mul_G2_bls.json", Revision::Prague, 0x0e},
        {"pairing_check_bls.json", Revision::Prague, 0x0f},
        {"map_fp_to_G1_bls.json", Revision::Prague, 0x10},
        {"map_fp2_to_G2_bls.json", Revision::Prague, 0x11},
        {"fail-add_G1_bls.json", Revision::Prague, 0x0b},
        {"fail-mul_G1_bls.json", Revision::Prague, 0x0c},
        {"fail-msm_G1_bls.json", Revision::Prague, 0x0c},
        {"fail-add_G2_bls.json", Revision::Prague, 0x0d},
        {"fail-mul_G2_bls.json", Revision::Prague, 0x0e},
        {"fail-msm_G2_bls.json", Revision::Prague, 0x0e},
        {"fail-pairing_check_bls.json", Revision::Prague, 0x0f},
        {"fail-map_fp_to_G1_bls.json", Revision::Prague, 0x10},
        {"fail-map_fp2_to_G2_bls.json", Revision::Prague, 0x11},
    };
    run_files(pack / "EIPs/assets/eip-2537", kFiles);
}

TEST(PrecompileVectors, eip7951) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    // The EIP's vectors carry the price of its predecessor RIP-7212.
    run_geth_file(pack / "EIPs/assets/eip-7951/test-vectors.json", Revision::Osaka, 0x100, Prices::Outdated);
    run_geth_file(
        pack / "besu/evm/src/test/resources/org/hyperledger/besu/evm/precompile/p256verify_test_vectors.json",
        Revision::Osaka, 0x100, Prices::Outdated);
}

// --- CSV: input,result[,gas,notes] -------------------------------------------------------------------

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::size_t begin = 0;
    for (;;) {
        const std::size_t comma = line.find(',', begin);
        fields.push_back(line.substr(begin, comma - begin));
        if (comma == std::string::npos)
            return fields;
        begin = comma + 1;
    }
}

// The result column holds the output, or nothing or prose for a failure.
void run_csv(const fs::path& file, std::uint16_t address, bool must_fail) {
    std::ifstream stream(file);
    ASSERT_TRUE(stream.good()) << file;
    std::string line;
    std::getline(stream, line);
    ASSERT_EQ(line.substr(0, 12), "input,result");
    std::size_t count = 0;
    while (std::getline(stream, line)) {
        while (!line.empty() && (line.back() == '\r' || line.back() == '\n'))
            line.pop_back();
        if (line.empty())
            continue;
        SCOPED_TRACE(file.filename().string() + " line " + std::to_string(count + 2));
        const auto fields = split(line);
        ASSERT_GE(fields.size(), 2u);
        const Call result = call(Revision::Prague, address, hex(fields[0]));
        const auto expected = from_hex(fields[1]);
        const bool fails = must_fail || !expected.has_value() || expected->empty();
        EXPECT_EQ(result.ok, !fails);
        if (!fails && result.ok) {
            EXPECT_EQ(to_hex(result.output), to_hex(*expected));
        }
        ++count;
    }
    EXPECT_GT(count, 0u);
}

struct CsvFile {
    const char* name;
    std::uint16_t address;
    bool must_fail = false;
};

TEST(PrecompileVectors, besu) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    constexpr CsvFile kFiles[] = {
        {"g1_add.csv", 0x0b},      {"g1_mul.csv", 0x0c},
        {"g1_multiexp.csv", 0x0c}, {"g2_add.csv", 0x0d},
        {"g2_mul.csv", 0x0e},      {"g2_multiexp.csv", 0x0e},
        {"pairing.csv", 0x0f},     {"fp_to_g1.csv", 0x10},
        {"fp2_to_g2.csv", 0x11},   {"invalid_subgroup_for_pairing.csv", 0x0f, true},
    };
    for (const auto& file : kFiles)
        run_csv(pack / "besu/evm/src/test/resources/org/hyperledger/besu/evm/precompile" / file.name,
                file.address, file.must_fail);
}

TEST(PrecompileVectors, eip1962) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    constexpr CsvFile kFiles[] = {
        {"g1_add.csv", 0x0b},
        {"g1_mul.csv", 0x0c},
        {"g1_multiexp.csv", 0x0c},
        {"g2_add.csv", 0x0d},
        {"g2_mul.csv", 0x0e},
        {"g2_multiexp.csv", 0x0e},
        {"pairing.csv", 0x0f},
        {"fp_to_g1.csv", 0x10},
        {"fp2_to_g2.csv", 0x11},
        {"extras/g2_multiexp.csv", 0x0e},
        {"extras/fp_to_g1.csv", 0x10},
        {"extras/fp2_to_g2.csv", 0x11},
        {"negative/g1_not_on_curve.csv", 0x0c, true},
        {"negative/g2_not_on_curve.csv", 0x0e, true},
        {"negative/invalid_fp_encoding.csv", 0x10, true},
        {"negative/invalid_fp2_encoding.csv", 0x11, true},
        {"negative/invalid_subgroup_for_pairing.csv", 0x0f, true},
    };
    for (const auto& file : kFiles)
        run_csv(pack / "eip1962/src/test/test_vectors/eip2537" / file.name, file.address, file.must_fail);
}

// --- KZG ---------------------------------------------------------------------------------------------

TEST(PrecompileVectors, besu_point_evaluation) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    const auto file = read_json(
        pack /
        "besu/evm/src/test/resources/org/hyperledger/besu/evm/precompile/pointEvaluationPrecompile.json");
    const auto expected = hex(file.at("PrecompileReturnValue").as_string());
    for (const auto& test : file.at("TestCases").as_array()) {
        const auto input = hex(test.at("Input").as_string());
        SCOPED_TRACE(to_hex(input));
        const bool fails = !test.at("Valid").as_bool();
        const Call result = call(Revision::Cancun, 0x0a, input);
        EXPECT_EQ(result.ok, !fails);
        if (result.ok) {
            EXPECT_EQ(to_hex(result.output), to_hex(expected));
        }
        EXPECT_EQ(result.gas, 50000u);
    }
}

// The value of `key` in a YAML file of single-line entries, without quotes.
std::string yaml_value(const std::string& text, const std::string& key) {
    const std::size_t at = text.find(key + ": ");
    if (at == std::string::npos)
        return {};
    const std::size_t begin = at + key.size() + 2;
    std::string value = text.substr(begin, text.find('\n', begin) - begin);
    std::erase_if(value, [](char c) { return c == '\'' || c == '"' || c == '\r'; });
    return value;
}

TEST(PrecompileVectors, c_kzg_verify_kzg_proof) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    const auto files = files_below(pack / "c-kzg-4844/tests/verify_kzg_proof", ".yaml");
    ASSERT_FALSE(files.empty());
    for (const auto& file : files) {
        const std::string text = read_text(file);
        SCOPED_TRACE(file.parent_path().filename().string());
        const auto z = fixed_from_hex<32>(yaml_value(text, "z"));
        const auto y = fixed_from_hex<32>(yaml_value(text, "y"));
        const auto commitment = fixed_from_hex<48>(yaml_value(text, "commitment"));
        const auto proof = fixed_from_hex<48>(yaml_value(text, "proof"));
        // "null" marks malformed input, for which the precompile fails just as for a wrong proof.
        const bool expected = yaml_value(text, "output") == "true";
        const bool well_sized = z && y && commitment && proof;
        EXPECT_EQ(well_sized && crypto::kzg::verify(*z, *y, *commitment, *proof), expected);
    }
}

TEST(PrecompileVectors, setup_point_is_the_ceremonys) {
    const fs::path pack = testdata("precompile");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    std::ifstream stream(pack / "c-kzg-4844/src/trusted_setup.txt");
    std::size_t g1_points = 0;
    std::size_t g2_points = 0;
    stream >> g1_points >> g2_points;
    std::string point;
    // G1 in Lagrange form, then G2 in monomial form: [1]G2, [tau]G2, ...
    for (std::size_t i = 0; i < g1_points + 2; ++i)
        stream >> point;
    EXPECT_EQ(point, to_hex(crypto::kzg::kSetupG2Tau));
}

}  // namespace
}  // namespace meridian::spec
