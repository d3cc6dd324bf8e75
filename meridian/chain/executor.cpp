#include <meridian/chain/executor.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/chain/dao_fork.hpp>
#include <meridian/chain/op_stack.hpp>
#include <meridian/chain/requests.hpp>
#include <meridian/chain/txn_validation.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/evm/precompiles.hpp>
#include <meridian/module/host.hpp>

#include <algorithm>
#include <limits>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr Address kSystem = "0xfffffffffffffffffffffffffffffffffffffffe"_address;
constexpr Address kBeaconRoots = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02"_address;         // EIP-4788
constexpr Address kHistoryStorage = "0x0000f90827f1c53a10cb7a02335b175320002935"_address;      // EIP-2935
constexpr Address kWithdrawalQueue = "0x00000961ef480eb55e80d19ad83579a64c007002"_address;     // EIP-7002
constexpr Address kConsolidationQueue = "0x0000bbddc7ce488642fb579f8b00f3a590007251"_address;  // EIP-7251

constexpr std::int64_t kSystemCallGas = 30000000;
constexpr std::uint64_t kGwei = 1000000000;
constexpr u256 kEther = 1000000000000000000_u256;
// EIP-7702: what an authorization costs less if its account existed already.
constexpr std::int64_t kAuthorizationRefund = 25000 - 12500;

u256 block_reward(Revision revision) noexcept {
    if (revision >= Revision::Paris)
        return {};
    if (revision >= Revision::Constantinople)
        return kEther * 2;
    return revision >= Revision::Byzantium ? kEther * 3 : kEther * 5;
}

}  // namespace

BlockExecutor::BlockExecutor(const ChainConfig& config, const Header& header, state::State& state,
                             const ExecutionEnvironment& environment)
    : m_config(config),
      m_header(header),
      m_state(state),
      m_environment(environment),
      m_revision(config.revision(header.number, header.timestamp)) {
    m_block.chain_id = config.chain_id;
    m_block.number = header.number;
    m_block.timestamp = header.timestamp;
    m_block.gas_limit = header.gas_limit;
    m_block.coinbase = header.coinbase;
    m_block.prev_randao = m_revision >= Revision::Paris ? from_hash(header.mix_hash) : header.difficulty;
    m_block.base_fee = header.base_fee.value_or(u256{});
    if (m_environment.blob_base_fee)
        m_block.blob_base_fee = *m_environment.blob_base_fee;
    else if (header.excess_blob_gas)
        m_block.blob_base_fee = chain::blob_base_fee(config, header.timestamp, *header.excess_blob_gas);
    m_block.block_hashes = &m_environment.block_hashes;
    if (config.modules)
        m_modules = std::make_unique<module::ModuleHost>(*config.modules, state);
}

BlockExecutor::~BlockExecutor() = default;

state::FinishRules BlockExecutor::finish_rules() const noexcept {
    return {.delete_touched_empty = m_revision >= Revision::SpuriousDragon};
}

evm::OpRevision BlockExecutor::op_revision() const noexcept {
    return m_config.op ? op::evm_revision(*m_config.op, m_header.timestamp) : evm::OpRevision::None;
}

evm::Options BlockExecutor::evm_options() const noexcept {
    return {.max_code_size = m_config.max_code_size,
            .max_init_code_size = m_config.max_init_code_size,
            .op_revision = op_revision(),
            .precompile_moves = m_environment.precompile_moves,
            .interrupt = m_environment.interrupt,
            .native = m_modules.get()};
}

Result<void, BlockFailure> BlockExecutor::check_state() const {
    if (m_modules && !m_modules->failure().empty())
        return fail(BlockFailure{BlockError::MissingState, std::nullopt, std::nullopt, m_modules->failure()});
    if (m_state.error() == state::StateError::None)
        return {};
    return fail(BlockFailure{BlockError::MissingState, std::nullopt, std::nullopt,
                             "the parent state lacks what the block needs"});
}

// --- before the transactions ------------------------------------------------------------------------------

Result<void, BlockFailure> BlockExecutor::start() {
    if (m_config.dao_fork_block == m_header.number) {
        m_state.begin_transaction();
        apply_dao_fork(m_state);
        m_state.finish_transaction(finish_rules());
    }
    // A failure of these calls, or of there being a contract at all, is of no consequence.
    if (m_revision >= Revision::Cancun && m_header.parent_beacon_block_root)
        static_cast<void>(call_system(kBeaconRoots, *m_header.parent_beacon_block_root));
    if (m_revision >= Revision::Prague)
        static_cast<void>(call_system(kHistoryStorage, m_header.parent_hash));
    if (m_modules)
        m_modules->begin_block(m_block);
    return check_state();
}

Result<void, BlockFailure> BlockExecutor::begin_frame(const FrameContext& frame) {
    if (!m_config.has_frames(m_header.timestamp))
        return {};
    const auto refuse = [&frame](const char* why) {
        return fail(BlockFailure{BlockError::InvalidFrames, std::nullopt, std::nullopt,
                                 "frame " + std::to_string(frame.number) + ": " + why});
    };
    const FrameContext last = last_frame(m_state);
    if (frame.number == 0 || (last.number != 0 && frame.number != last.number + 1))
        return refuse("the number is not the next one");
    if (frame.index != m_frame_count)
        return refuse("the index is not the next one of the block");
    if (frame.timestamp_us < last.timestamp_us || frame.timestamp_us / 1000000 < m_header.timestamp)
        return refuse("the timestamp lies before the last frame's or the block's");
    ++m_frame_count;
    write_frame(m_state, frame);
    return check_state();
}

evm::CallResult BlockExecutor::call_system(const Address& contract, BytesView input) {
    m_state.begin_transaction();
    evm::CallResult result;
    if (m_state.load(contract).account.has_code()) {
        const evm::TxnContext context{.origin = kSystem, .gas_price = {}, .blob_hashes = {}};
        // Uninterrupted: that the call failed must not depend on the host.
        evm::Options options = evm_options();
        options.interrupt = nullptr;
        evm::Evm evm(m_revision, m_state, m_block, context, m_environment.code_cache, nullptr, options);
        evm::Message message;
        message.gas = kSystemCallGas;
        message.recipient = contract;
        message.code_address = contract;
        message.sender = kSystem;
        message.input = input;
        result = evm.execute(message);
    }
    m_state.finish_transaction(finish_rules());
    return result;
}

// --- transactions -----------------------------------------------------------------------------------------

Result<TxnOutcome, TxnError> BlockExecutor::execute(const Transaction& txn, const Address& sender) {
    if (txn.type == TxnType::Deposit && m_config.op)
        return execute_deposit(txn);
    if (txn.type == TxnType::Module && m_modules)
        return execute_module(txn, sender);
    TxnRules rules{m_config, m_revision, m_block, m_gas_used, m_blob_gas_used, m_environment.skipped_checks,
                   u256{}};
    op::Fees op_fees;
    if (m_config.op) {
        op_fees = op::fees_of(*m_config.op, m_header.timestamp, m_state, txn);
        rules.additional_fee = op_fees.l1 + op_fees.operator_fee.of(txn.gas_limit);
        // Jovian: the block's data is limited as its gas is.
        if (!m_environment.skipped_checks.block_gas &&
            op_fees.da_footprint > m_header.gas_limit - std::min(m_blob_gas_used, m_header.gas_limit))
            return fail(TxnError::GasAllowanceExceeded);
    }
    const auto charge = validate_transaction(rules, m_state, txn, sender);
    if (!charge)
        return fail(charge.error());

    m_state.begin_transaction();
    state::CachedAccount& account = m_state.load(sender);
    const std::uint64_t nonce = account.account.nonce;
    m_state.set_nonce(account, nonce + 1);
    m_state.set_balance(account, account.account.balance - charge->gas_price * txn.gas_limit -
                                     charge->blob_fee - rules.additional_fee);
    warm(txn, sender);
    apply_authorizations(txn);
    const evm::TxnContext context{
        .origin = sender, .gas_price = charge->gas_price, .blob_hashes = txn.blob_hashes};
    evm::CallResult result = run(txn, sender, context, txn.gas_limit - charge->intrinsic.gas);
    if (result.status == evm::Status::Interrupted)
        return cancel();
    if (modules_failed())
        return cancel(TxnError::ModuleStateMissing);

    const GasSettlement gas = settle_gas(txn, charge->intrinsic, result);
    const u256 operator_fee = op_fees.operator_fee.of(gas.used);
    m_state.add_balance(sender, charge->gas_price * (txn.gas_limit - gas.used) +
                                    (rules.additional_fee - op_fees.l1 - operator_fee));
    m_state.add_balance(m_header.coinbase, (charge->gas_price - m_block.base_fee) * gas.used);
    if (m_config.op) {
        m_state.add_balance(op::kBaseFeeVault, m_block.base_fee * gas.used);
        m_state.add_balance(op::kL1FeeVault, op_fees.l1);
        if (op::active(m_config.op->isthmus_time, m_header.timestamp))
            m_state.add_balance(op::kOperatorFeeVault, operator_fee);
    }
    // Of these two one is always zero.
    const std::uint64_t blob_gas = charge->blob_gas + op_fees.da_footprint;
    m_blob_gas_used += blob_gas;
    TxnOutcome outcome = close_transaction(txn, {sender, nonce}, result, gas);
    outcome.receipt.effective_gas_price = charge->gas_price;
    outcome.receipt.blob_gas_used = blob_gas;
    add(outcome.receipt);
    return outcome;
}

BlockExecutor::GasSettlement BlockExecutor::settle_gas(const Transaction& txn, const IntrinsicGas& intrinsic,
                                                       const evm::CallResult& result) const {
    const std::uint64_t spent = txn.gas_limit - static_cast<std::uint64_t>(result.gas_left);
    const std::uint64_t refund_max = spent / (m_revision >= Revision::London ? 5 : 2);
    const std::uint64_t refund = std::min(refund_max, static_cast<std::uint64_t>(m_state.refund()));
    return {.used = std::max(spent - refund, intrinsic.floor), .refunded = refund};
}

std::unexpected<TxnError> BlockExecutor::cancel(TxnError error) {
    m_state.cancel_transaction();
    return fail(error);
}

// --- modules ----------------------------------------------------------------------------------------------

bool BlockExecutor::modules_failed() const noexcept {
    return m_modules && !m_modules->failure().empty();
}

namespace {
TxnError error_of(module::TransactError error) noexcept {
    switch (error) {
        case module::TransactError::SignerNotAllowed:
            return TxnError::ModuleSignerNotAllowed;
        case module::TransactError::SessionExpired:
            return TxnError::ModuleSessionExpired;
        case module::TransactError::SessionScope:
            return TxnError::ModuleSessionScope;
        case module::TransactError::SessionCap:
            return TxnError::ModuleSessionCap;
        case module::TransactError::Expired:
            return TxnError::ModuleTxnExpired;
        case module::TransactError::NonceUsed:
            return TxnError::ModuleNonceUsed;
        case module::TransactError::NonceTooOld:
            return TxnError::ModuleNonceTooOld;
        case module::TransactError::NonceTooNew:
            return TxnError::ModuleNonceTooNew;
    }
    return TxnError::ModuleSignerNotAllowed;
}

std::vector<BytesView> commands_of(BytesView payload) {
    std::vector<BytesView> out;
    while (!payload.empty()) {
        const auto command = rlp::read_bytes(payload);
        if (!command)
            return {};
        out.push_back(*command);
    }
    return out;
}
}  // namespace

namespace {
// Without a module if the chain does not have it.
module::CommandList command_list(const ChainConfig& config, const Transaction& txn, const Address& signer) {
    return {.module = config.modules ? config.modules->find_id(txn.module_id) : nullptr,
            .account = txn.from,
            .signer = signer,
            .nonce = txn.nonce,
            .expiry_ms = txn.expiry_ms,
            .commands = commands_of(txn.data)};
}

Result<void, TxnError> check_command_list(const ChainConfig& config, const Transaction& txn,
                                          const module::CommandList& list) {
    if (txn.chain_id != config.chain_id)
        return fail(TxnError::InvalidChainId);
    if (list.module == nullptr)
        return fail(TxnError::ModuleUnknown);
    if (list.commands.empty() || list.commands.size() > kModuleCommandsMax)
        return fail(TxnError::ModuleCommands);
    return {};
}
}  // namespace

Result<void, TxnError> check_module_transaction(const ChainConfig& config, state::StateReader& reader,
                                                std::uint64_t timestamp, const Transaction& txn,
                                                const Address& signer) {
    const module::CommandList list = command_list(config, txn, signer);
    if (auto checked = check_command_list(config, txn, list); !checked)
        return checked;
    state::State state(reader);
    module::ModuleHost host(*config.modules, state);
    if (const auto done = host.check(list, timestamp); !done)
        return fail(error_of(done.error()));
    if (!host.failure().empty())
        return fail(TxnError::ModuleStateMissing);
    return {};
}

namespace {
// What a module's commands call.
class EvmCalls final : public evm::NestedCalls {
public:
    explicit EvmCalls(const evm::Evm& evm) : m_evm(evm) {}
    evm::CallResult call(const evm::Message& message) override { return m_evm.execute(message); }

private:
    evm::Evm m_evm;
};
}  // namespace

// It costs the account nothing: what commands cost is the module's business. Its gas counts against the
// block's.
Result<TxnOutcome, TxnError> BlockExecutor::execute_module(const Transaction& txn, const Address& signer) {
    const module::CommandList list = command_list(m_config, txn, signer);
    if (auto checked = check_command_list(m_config, txn, list); !checked)
        return fail(checked.error());
    if (!m_environment.skipped_checks.block_gas &&
        (m_gas_used > m_header.gas_limit ||
         list.module->module->transaction_gas_max() > m_header.gas_limit - m_gas_used))
        return fail(TxnError::GasAllowanceExceeded);
    m_state.begin_transaction();
    const evm::TxnContext context{.origin = signer, .gas_price = {}, .blob_hashes = {}};
    EvmCalls nested(evm::Evm(m_revision, m_state, m_block, context, m_environment.code_cache,
                             m_environment.tracer, evm_options()));
    auto done = m_modules->transact(list, m_block, m_environment.tracer, nested);
    if (!done)
        return cancel(error_of(done.error()));
    if (done->interrupted)
        return cancel(TxnError::Interrupted);
    if (modules_failed())
        return cancel(TxnError::ModuleStateMissing);
    evm::CallResult result;
    result.status = done->success ? evm::Status::Success : evm::Status::Revert;
    result.output = std::move(done->output);
    TxnOutcome outcome = close_transaction(txn, {signer, txn.nonce}, result, {done->gas_used, 0});
    add(outcome.receipt);
    return outcome;
}

void BlockExecutor::note_arena_changes(const std::map<Address, state::ArenaPatch>& arenas) {
    if (m_modules)
        m_modules->note_changed(arenas);
}

// The receipt and the end of the transaction in the state. The caller adds the receipt.
TxnOutcome BlockExecutor::close_transaction(const Transaction& txn, const Origin& origin,
                                            evm::CallResult& result, const GasSettlement& gas) {
    m_gas_used += gas.used;
    TxnOutcome outcome;
    outcome.receipt = make_receipt(txn, origin, result);
    outcome.receipt.gas_used = gas.used;
    outcome.status = result.status;
    outcome.output = std::move(result.output);
    outcome.gas_refunded = gas.refunded;
    m_state.finish_transaction(finish_rules());
    if (m_revision < Revision::Byzantium && m_environment.intermediate_root != nullptr)
        outcome.receipt.state_root = m_environment.intermediate_root->root_after(m_state.changes());
    return outcome;
}

// What depends on all receipts is gathered one by one: a block's end must not wait for a walk over them.
void BlockExecutor::add(const Receipt& receipt) {
    if (!receipt.logs.empty()) {
        for (std::size_t i = 0; i < Bloom::kSize; ++i)
            m_bloom[i] |= receipt.bloom[i];
        if (std::ranges::find(receipt.logs, m_config.deposit_contract, &Log::address) != receipt.logs.end())
            m_deposit_receipts.push_back(receipt);
    }
    if (m_environment.keep_receipts)
        m_receipts.push_back(receipt);
}

// --- deposits of an OP chain ------------------------------------------------------------------------------

Result<TxnOutcome, TxnError> BlockExecutor::execute_deposit(const Transaction& txn) {
    const OpConfig& op = *m_config.op;
    const bool regolith = op::active(op.regolith_time, m_header.timestamp);
    if (txn.is_system && regolith)
        return fail(TxnError::InvalidDeposit);
    if (txn.gas_limit > std::numeric_limits<std::int64_t>::max() ||
        (!txn.is_system &&
         (m_gas_used > m_header.gas_limit || txn.gas_limit > m_header.gas_limit - m_gas_used)))
        return fail(TxnError::GasAllowanceExceeded);

    m_state.begin_transaction();
    if (txn.mint)
        m_state.add_balance(txn.from, *txn.mint);
    const std::uint64_t nonce = m_state.nonce(txn.from);
    evm::CallResult result;
    GasSettlement gas = run_deposit(txn, result);
    if (result.status == evm::Status::Interrupted)
        return cancel();
    if (modules_failed())
        return cancel(TxnError::ModuleStateMissing);
    // Before Regolith deposits count with all their gas, and the system's with none.
    if (!regolith)
        gas.used = txn.is_system ? 0 : txn.gas_limit;
    TxnOutcome outcome = close_transaction(txn, {txn.from, nonce}, result, gas);
    if (regolith)
        outcome.receipt.deposit_nonce = nonce;
    if (op::active(op.canyon_time, m_header.timestamp))
        outcome.receipt.deposit_receipt_version = 1;
    add(outcome.receipt);
    return outcome;
}

// A deposit that could not even begin fails as a call would: it is included, raises the nonce and has used
// all its gas. What it minted stays.
BlockExecutor::GasSettlement BlockExecutor::run_deposit(const Transaction& txn, evm::CallResult& result) {
    state::CachedAccount& account = m_state.load(txn.from);
    m_state.set_nonce(account, account.account.nonce + 1);
    const IntrinsicGas intrinsic = intrinsic_gas(m_revision, txn);
    const bool affordable = account.account.balance >= txn.value;
    if (std::max(intrinsic.gas, intrinsic.floor) > txn.gas_limit || !affordable) {
        result.status = affordable ? evm::Status::OutOfGas : evm::Status::InsufficientBalance;
        return {.used = txn.gas_limit, .refunded = 0};
    }
    warm(txn, txn.from);
    const evm::TxnContext context{.origin = txn.from, .gas_price = {}, .blob_hashes = {}};
    result = run(txn, txn.from, context, txn.gas_limit - intrinsic.gas);
    return settle_gas(txn, intrinsic, result);
}

void BlockExecutor::warm(const Transaction& txn, const Address& sender) {
    if (m_revision < Revision::Berlin)
        return;
    m_state.warm_address(sender);
    for (const Address& address : evm::precompile_addresses(m_revision, op_revision()))
        m_state.warm_address(address);
    if (txn.to.has_value())
        m_state.warm_address(*txn.to);
    if (m_revision >= Revision::Shanghai)
        m_state.warm_address(m_header.coinbase);
    for (const AccessListEntry& entry : txn.access_list) {
        m_state.warm_address(entry.address);
        for (const Hash& key : entry.storage_keys)
            m_state.warm_storage(entry.address, from_hash(key));
    }
}

void BlockExecutor::apply_authorizations(const Transaction& txn) {
    for (const Authorization& authorization : txn.authorizations) {
        if (authorization.chain_id && authorization.chain_id != u256{m_config.chain_id})
            continue;
        if (authorization.nonce == std::numeric_limits<std::uint64_t>::max())
            continue;
        const auto authority = recover_authority(authorization);
        if (!authority)
            continue;
        m_state.warm_address(*authority);
        state::CachedAccount& account = m_state.load(*authority);
        if (account.account.has_code() && !delegate_of(m_state.code(account)))
            continue;
        if (account.account.nonce != authorization.nonce)
            continue;
        if (account.exists)
            m_state.add_refund(kAuthorizationRefund);
        Bytes designator;
        if (!authorization.address.is_zero()) {
            designator = {0xef, 0x01, 0x00};
            append(designator, authorization.address);
        }
        m_state.set_code(account, std::move(designator));
        m_state.set_nonce(account, authorization.nonce + 1);
    }
}

evm::CallResult BlockExecutor::run(const Transaction& txn, const Address& sender,
                                   const evm::TxnContext& context, std::uint64_t gas) {
    evm::Message message;
    message.kind = txn.to.has_value() ? evm::CallKind::Call : evm::CallKind::Create;
    message.gas = static_cast<std::int64_t>(gas);
    message.sender = sender;
    message.value = txn.value;
    message.input = txn.data;
    if (txn.to.has_value()) {
        message.recipient = *txn.to;
        message.code_address = *txn.to;
        if (m_revision >= Revision::Prague)
            if (const auto delegate = delegate_of(m_state.code(*txn.to)))
                m_state.warm_address(*delegate);
    }
    evm::Evm evm(m_revision, m_state, m_block, context, m_environment.code_cache, m_environment.tracer,
                 evm_options());
    return evm.execute(message);
}

Receipt BlockExecutor::make_receipt(const Transaction& txn, const Origin& origin,
                                    const evm::CallResult& result) {
    Receipt receipt;
    receipt.type = txn.type;
    receipt.success = result.status == evm::Status::Success;
    receipt.cumulative_gas_used = m_gas_used;
    receipt.logs = m_state.take_logs();
    receipt.bloom = bloom_of(receipt.logs);
    if (!txn.to.has_value())
        receipt.contract_address = evm::create_address(origin.sender, origin.nonce);
    return receipt;
}

// --- after the transactions -------------------------------------------------------------------------------

Result<BlockOutcome, BlockFailure> BlockExecutor::finish(
    std::span<const Header> ommers, const std::optional<std::vector<Withdrawal>>& withdrawals) {
    if (m_modules) {
        m_modules->end_block(m_block);
        m_modules->commit();
    }
    if (withdrawals)
        pay_withdrawals(*withdrawals);
    if (m_revision < Revision::Paris)
        pay_rewards(ommers);
    BlockOutcome outcome;
    // An OP chain has none.
    if (m_revision >= Revision::Prague && m_config.op)
        outcome.requests_hash = requests_hash({});
    if (m_revision >= Revision::Prague && !m_config.op) {
        auto requests = collect_requests();
        if (!requests)
            return fail(std::move(requests.error()));
        outcome.requests = *std::move(requests);
        outcome.requests_hash = requests_hash(outcome.requests);
    }
    if (auto complete = check_state(); !complete)
        return fail(std::move(complete.error()));
    outcome.bloom = m_bloom;
    outcome.receipts = std::move(m_receipts);
    outcome.gas_used = m_gas_used;
    outcome.blob_gas_used = m_blob_gas_used;
    outcome.changes = m_state.changes();
    return outcome;
}

void BlockExecutor::pay_withdrawals(const std::vector<Withdrawal>& withdrawals) {
    m_state.begin_transaction();
    for (const Withdrawal& withdrawal : withdrawals)
        m_state.add_balance(withdrawal.address, u256{withdrawal.amount} * kGwei);
    m_state.finish_transaction(finish_rules());
}

void BlockExecutor::pay_rewards(std::span<const Header> ommers) {
    const u256 reward = block_reward(m_revision);
    m_state.begin_transaction();
    m_state.add_balance(m_header.coinbase, reward + reward / 32 * ommers.size());
    for (const Header& ommer : ommers)
        m_state.add_balance(ommer.coinbase, reward * (ommer.number + 8 - m_header.number) / 8);
    m_state.finish_transaction(finish_rules());
}

Result<std::vector<Request>, BlockFailure> BlockExecutor::collect_requests() {
    std::vector<Request> out;
    auto deposits = deposit_requests(m_config.deposit_contract, m_deposit_receipts);
    if (!deposits)
        return fail(BlockFailure{deposits.error(), std::nullopt, std::nullopt, "malformed deposit event"});
    if (!deposits->empty())
        out.push_back({kDepositRequest, *std::move(deposits)});
    const std::pair<std::uint8_t, Address> queues[] = {{kWithdrawalRequest, kWithdrawalQueue},
                                                       {kConsolidationRequest, kConsolidationQueue}};
    for (const auto& [type, contract] : queues) {
        auto data = ask_system(contract);
        if (!data)
            return fail(std::move(data.error()));
        if (!data->empty())
            out.push_back({type, *std::move(data)});
    }
    return out;
}

Result<Bytes, BlockFailure> BlockExecutor::ask_system(const Address& contract) {
    const auto failure = [&](BlockError error, const char* what) {
        return fail(BlockFailure{error, std::nullopt, std::nullopt, what + to_hex0x(contract)});
    };
    if (!m_state.load(contract).account.has_code())
        return failure(BlockError::SystemContractEmpty, "no code at system contract ");
    evm::CallResult result = call_system(contract, {});
    if (result.status != evm::Status::Success)
        return failure(BlockError::SystemContractCallFailed, "failed call of system contract ");
    return std::move(result.output);
}

}  // namespace meridian::chain
