// Which cases are run and how their reasons are compared.

#include <meridian/spec/exception_names.hpp>
#include <meridian/spec/exclusions.hpp>
#include <meridian/spec/network.hpp>
#include <meridian/spec/pattern.hpp>

#include <gtest/gtest.h>

namespace meridian::spec {
namespace {

using chain::BlockError;
using chain::TxnError;

TEST(SpecPattern, IsASubstringOrAShellPattern) {
    EXPECT_TRUE(matches("stRevert", "a/stRevertTest/b.json x Cancun"));
    EXPECT_FALSE(matches("Revertst", "a/stRevertTest/b.json x Cancun"));
    EXPECT_TRUE(matches("*stRevert*Cancun", "a/stRevertTest/b.json x Cancun"));
    EXPECT_FALSE(matches("*stRevert*Cancun", "a/stRevertTest/b.json x Prague"));
    EXPECT_TRUE(matches("a?c", "abc"));
    EXPECT_FALSE(matches("a?c", "ac"));
    EXPECT_TRUE(matches("*a*b*", "xxaxxbxx"));
    EXPECT_FALSE(matches("*aab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"));
    EXPECT_TRUE(matches("", "anything"));
}

TEST(SpecExclusions, NeedAReason) {
    const auto parsed = Exclusions::parse("# comment\n\n*a* # because\n", "f");
    ASSERT_TRUE(parsed.has_value());
    ASSERT_NE(parsed->find("bab"), nullptr);
    EXPECT_EQ(*parsed->find("bab"), "because");
    EXPECT_EQ(parsed->find("bbb"), nullptr);
    EXPECT_EQ(Exclusions::parse("# c\nx\n", "f").error().text(), "f: line 2: expected: pattern # reason");
    EXPECT_FALSE(Exclusions::parse("x # ", "f").has_value());
    EXPECT_EQ(Exclusions::built_in().find("some/file.json name Cancun"), nullptr);
}

TEST(SpecReasons, AgreeOnlyIfTheFixtureMeansThem) {
    EXPECT_EQ(mismatch("TransactionException.NONCE_IS_MAX", TxnError::NonceIsMax), "");
    EXPECT_EQ(mismatch("A|TransactionException.SENDER_NOT_EOA", TxnError::SenderNotEoa), "");
    EXPECT_EQ(mismatch("TR_NoFunds", TxnError::InsufficientAccountFunds), "");
    EXPECT_EQ(mismatch("InvalidNumber", BlockError::InvalidBlockNumber), "");
    EXPECT_NE(mismatch("TR_NoFunds", TxnError::NonceIsMax), "");
    EXPECT_NE(mismatch("InvalidNumber", BlockError::InvalidDifficulty), "");
    EXPECT_NE(mismatch("NoSuchName", BlockError::InvalidDifficulty), "");
    EXPECT_NE(mismatch("", TxnError::NonceIsMax), "");
}

// Names that are near each other and yet mean different faults.
TEST(SpecReasons, KeepNeighboursApart) {
    EXPECT_NE(mismatch("TransactionException.NONCE_OVERFLOW", TxnError::NonceIsMax), "");
    EXPECT_NE(mismatch("TransactionException.NONCE_TOO_BIG", TxnError::NonceMismatchTooHigh), "");
    EXPECT_NE(mismatch("TransactionException.EC_RECOVERY_FAIL", TxnError::InvalidSignatureVrs), "");
    EXPECT_NE(mismatch("TransactionException.INVALID_SIGNATURE_VRS", TxnError::EcRecoverFailed), "");
    EXPECT_NE(mismatch("TR_FeeCapLessThanBlocksORNoFunds", TxnError::IntrinsicGasTooLow), "");
    EXPECT_NE(mismatch("INPUT_UNMARSHAL_ADDRESS_ERROR", BlockError::RlpStructuresEncoding), "");
    EXPECT_EQ(mismatch("TransactionException.EC_RECOVERY_FAIL", TxnError::EcRecoverFailed), "");
    EXPECT_EQ(mismatch("BlockException.EXTRA_DATA_INVALID_DAO", BlockError::InvalidDaoExtraData), "");
}

Rejection refused(rlp::DecodeError fault, const char* field, TxnError error = TxnError::RlpInvalidEncoding) {
    return Rejection(chain::DecodeFailure{error, field, {}, fault});
}

Rejection refused_block(rlp::DecodeError fault, const char* field,
                        BlockError error = BlockError::RlpStructuresEncoding) {
    return Rejection(chain::BlockDecodeFailure{error, {}, field, {}, fault});
}

TEST(SpecReasons, TellFaultsOfEncodingsApart) {
    using enum rlp::DecodeError;
    const auto agrees = [](const std::string& name, const Rejection& actual) {
        return mismatch("TransactionException." + name, actual).empty();
    };
    const Rejection too_long = refused(StringTooLong, "transaction.accessList[1].storageKeys[0]");
    EXPECT_TRUE(agrees("RLP_INVALID_ACCESS_LIST_STORAGE_TOO_LONG", too_long));
    EXPECT_FALSE(agrees("RLP_INVALID_ACCESS_LIST_STORAGE_TOO_SHORT", too_long));
    EXPECT_FALSE(agrees("RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG", too_long));
    EXPECT_FALSE(agrees("ADDRESS_TOO_LONG", too_long));
    EXPECT_TRUE(agrees("INVALID_SIGNATURE_VRS", refused(Overflow, "transaction.r")));
    EXPECT_FALSE(agrees("INVALID_SIGNATURE_VRS", refused(UnexpectedList, "transaction.r")));
    EXPECT_TRUE(agrees("RLP_ERROR_SIZE", refused(TrailingBytes, "transaction")));
    EXPECT_FALSE(agrees("RLP_ERROR_SIZE", refused(InputTooShort, "transaction.data")));
    EXPECT_TRUE(agrees("RLP_INVALID_VALUE", refused(Overflow, "transaction.value")));
    EXPECT_FALSE(agrees("RLP_INVALID_VALUE", refused(Overflow, "transaction.nonce")));
    // Without a fault nothing is told apart, and so nothing agrees.
    EXPECT_FALSE(agrees("RLP_INVALID_VALUE", TxnError::RlpInvalidEncoding));
    EXPECT_FALSE(agrees("RLP_INVALID_ENCODING", TxnError::RlpInvalidEncoding));
}

TEST(SpecReasons, TellFaultsOfBlocksApart) {
    using enum rlp::DecodeError;
    const Rejection structure = refused_block(UnexpectedString, "block.withdrawals");
    EXPECT_EQ(mismatch("BlockException.RLP_STRUCTURES_ENCODING", structure), "");
    EXPECT_NE(mismatch("INPUT_UNMARSHAL_ERROR", structure), "");
    // Not RLP at all.
    EXPECT_NE(mismatch("BlockException.RLP_STRUCTURES_ENCODING", refused_block(InputTooShort, "block")), "");
    EXPECT_NE(mismatch("BlockException.RLP_STRUCTURES_ENCODING", BlockError::RlpStructuresEncoding), "");
    const Rejection address =
        refused_block(StringTooLong, "withdrawals[0].address", BlockError::RlpInvalidAddress);
    EXPECT_EQ(mismatch("INPUT_UNMARSHAL_ADDRESS_ERROR", address), "");
    EXPECT_EQ(mismatch("BlockException.RLP_INVALID_ADDRESS", address), "");
    EXPECT_NE(mismatch("INPUT_UNMARSHAL_ERROR", address), "");
    chain::BlockDecodeFailure in_txn{
        {}, TxnError::RlpInvalidEncoding, "transactions[2]: transaction.value", {}, Overflow};
    EXPECT_EQ(mismatch("TR_RLP_WRONGVALUE", Rejection(in_txn)), "");
    in_txn.field = "transactions[2]: transaction.nonce";
    EXPECT_NE(mismatch("TR_RLP_WRONGVALUE", Rejection(in_txn)), "");
}

TEST(SpecNetworks, ChangeRulesWhereTheirNameSays) {
    using evm::Revision;
    const auto by_number = network_of("FrontierToHomesteadAt5", nullptr);
    ASSERT_TRUE(by_number.has_value());
    EXPECT_EQ(by_number->config.revision(4, 0), Revision::Frontier);
    EXPECT_EQ(by_number->config.revision(5, 0), Revision::Homestead);
    const auto by_time = network_of("ShanghaiToCancunAtTime15k", nullptr);
    ASSERT_TRUE(by_time.has_value());
    EXPECT_EQ(by_time->config.revision(9, 14999), Revision::Shanghai);
    EXPECT_EQ(by_time->config.revision(1, 15000), Revision::Cancun);
    EXPECT_EQ(network_of("HomesteadToDaoAt5", nullptr)->config.dao_fork_block, 5u);
    EXPECT_EQ(network_of("ArrowGlacierToParisAtDiffC0000", nullptr)->terminal_total_difficulty,
              u256{0xc0000});
    for (const char* name :
         {"", "To", "AtTime15k", "CancunToPragueAt", "CancunToNowhereAtTime15k", "Amsterdam"})
        EXPECT_FALSE(network_of(name, nullptr).has_value()) << name;
}

TEST(SpecNetworks, TakeBlobParametersFromTheFixture) {
    const auto document = Document::parse(R"({"chainid":"0x7","blobSchedule":{
        "Osaka":{"target":"0x06","max":"0x09","baseFeeUpdateFraction":"0x4c6964"},
        "BPO1":{"target":"0x0a","max":"0x0f","baseFeeUpdateFraction":"0x7f5a51"}}})",
                                          "config");
    const auto network = network_of("OsakaToBPO1AtTime15k", &document->root());
    ASSERT_TRUE(network.has_value());
    EXPECT_EQ(network->config.chain_id, 7u);
    EXPECT_EQ(network->config.blob_parameters(14999).max, 9u);
    EXPECT_EQ(network->config.blob_parameters(15000).max, 15u);

    const auto invalid = Document::parse(
        R"({"blobSchedule":{"Osaka":{"target":"0x05","max":"0x00","baseFeeUpdateFraction":"0x01"}}})",
        "config");
    EXPECT_THROW((void)network_of("Osaka", &invalid->root()), FieldFailure);
}

}  // namespace
}  // namespace meridian::spec
