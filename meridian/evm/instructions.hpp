// The instruction set as data: what every opcode is called, moves on the stack, and costs by revision.
//
// Costs here are the constant parts; what depends on operands or state is in the handlers. A revision in
// which an instruction is undefined has kUndefinedCost.
#pragma once

#include <meridian/evm/revision.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace meridian::evm {

// Opcode bytes.
enum class Op : std::uint8_t {
    Stop = 0x00,
    Add,
    Mul,
    Sub,
    Div,
    Sdiv,
    Mod,
    Smod,
    Addmod,
    Mulmod,
    Exp,
    Signextend,
    Lt = 0x10,
    Gt,
    Slt,
    Sgt,
    Eq,
    Iszero,
    And,
    Or,
    Xor,
    Not,
    Byte,
    Shl,
    Shr,
    Sar,
    Clz,
    Keccak256 = 0x20,
    Address = 0x30,
    Balance,
    Origin,
    Caller,
    Callvalue,
    Calldataload,
    Calldatasize,
    Calldatacopy,
    Codesize,
    Codecopy,
    Gasprice,
    Extcodesize,
    Extcodecopy,
    Returndatasize,
    Returndatacopy,
    Extcodehash,
    Blockhash = 0x40,
    Coinbase,
    Timestamp,
    Number,
    Prevrandao,
    Gaslimit,
    Chainid,
    Selfbalance,
    Basefee,
    Blobhash,
    Blobbasefee,
    Pop = 0x50,
    Mload,
    Mstore,
    Mstore8,
    Sload,
    Sstore,
    Jump,
    Jumpi,
    Pc,
    Msize,
    Gas,
    Jumpdest,
    Tload,
    Tstore,
    Mcopy,
    Push0,
    Push1 = 0x60,
    Push32 = 0x7f,
    Dup1 = 0x80,
    Dup16 = 0x8f,
    Swap1 = 0x90,
    Swap16 = 0x9f,
    Log0 = 0xa0,
    Log4 = 0xa4,
    Create = 0xf0,
    Call,
    Callcode,
    Return,
    Delegatecall,
    Create2,
    Staticcall = 0xfa,
    Revert = 0xfd,
    Invalid = 0xfe,
    Selfdestruct = 0xff,
};

inline constexpr std::int32_t kUndefinedCost = -1;

struct Instruction {
    std::string_view name;   // empty where no revision defines the opcode
    std::int16_t cost = -1;  // in the revision that introduced it
    std::uint8_t pops = 0;
    std::uint8_t pushes = 0;
    std::uint8_t immediate_size = 0;
    Revision since = Revision::Frontier;
};

namespace detail {
constexpr std::array<std::string_view, 32> kPushNames{
    "PUSH1",  "PUSH2",  "PUSH3",  "PUSH4",  "PUSH5",  "PUSH6",  "PUSH7",  "PUSH8",
    "PUSH9",  "PUSH10", "PUSH11", "PUSH12", "PUSH13", "PUSH14", "PUSH15", "PUSH16",
    "PUSH17", "PUSH18", "PUSH19", "PUSH20", "PUSH21", "PUSH22", "PUSH23", "PUSH24",
    "PUSH25", "PUSH26", "PUSH27", "PUSH28", "PUSH29", "PUSH30", "PUSH31", "PUSH32"};
constexpr std::array<std::string_view, 16> kDupNames{"DUP1",  "DUP2",  "DUP3",  "DUP4",  "DUP5",  "DUP6",
                                                     "DUP7",  "DUP8",  "DUP9",  "DUP10", "DUP11", "DUP12",
                                                     "DUP13", "DUP14", "DUP15", "DUP16"};
constexpr std::array<std::string_view, 16> kSwapNames{
    "SWAP1", "SWAP2",  "SWAP3",  "SWAP4",  "SWAP5",  "SWAP6",  "SWAP7",  "SWAP8",
    "SWAP9", "SWAP10", "SWAP11", "SWAP12", "SWAP13", "SWAP14", "SWAP15", "SWAP16"};
constexpr std::array<std::string_view, 5> kLogNames{"LOG0", "LOG1", "LOG2", "LOG3", "LOG4"};

constexpr std::array<Instruction, 256> make_instructions() {
    using enum Revision;
    std::array<Instruction, 256> t{};
    const auto set = [&t](Op op, std::string_view name, int cost, int pops, int pushes,
                          Revision since = Frontier) {
        t[static_cast<std::size_t>(op)] = {name,
                                           static_cast<std::int16_t>(cost),
                                           static_cast<std::uint8_t>(pops),
                                           static_cast<std::uint8_t>(pushes),
                                           0,
                                           since};
    };
    set(Op::Stop, "STOP", 0, 0, 0);
    set(Op::Add, "ADD", 3, 2, 1);
    set(Op::Mul, "MUL", 5, 2, 1);
    set(Op::Sub, "SUB", 3, 2, 1);
    set(Op::Div, "DIV", 5, 2, 1);
    set(Op::Sdiv, "SDIV", 5, 2, 1);
    set(Op::Mod, "MOD", 5, 2, 1);
    set(Op::Smod, "SMOD", 5, 2, 1);
    set(Op::Addmod, "ADDMOD", 8, 3, 1);
    set(Op::Mulmod, "MULMOD", 8, 3, 1);
    set(Op::Exp, "EXP", 10, 2, 1);
    set(Op::Signextend, "SIGNEXTEND", 5, 2, 1);
    set(Op::Lt, "LT", 3, 2, 1);
    set(Op::Gt, "GT", 3, 2, 1);
    set(Op::Slt, "SLT", 3, 2, 1);
    set(Op::Sgt, "SGT", 3, 2, 1);
    set(Op::Eq, "EQ", 3, 2, 1);
    set(Op::Iszero, "ISZERO", 3, 1, 1);
    set(Op::And, "AND", 3, 2, 1);
    set(Op::Or, "OR", 3, 2, 1);
    set(Op::Xor, "XOR", 3, 2, 1);
    set(Op::Not, "NOT", 3, 1, 1);
    set(Op::Byte, "BYTE", 3, 2, 1);
    set(Op::Shl, "SHL", 3, 2, 1, Constantinople);
    set(Op::Shr, "SHR", 3, 2, 1, Constantinople);
    set(Op::Sar, "SAR", 3, 2, 1, Constantinople);
    set(Op::Clz, "CLZ", 5, 1, 1, Osaka);
    set(Op::Keccak256, "KECCAK256", 30, 2, 1);
    set(Op::Address, "ADDRESS", 2, 0, 1);
    set(Op::Balance, "BALANCE", 20, 1, 1);
    set(Op::Origin, "ORIGIN", 2, 0, 1);
    set(Op::Caller, "CALLER", 2, 0, 1);
    set(Op::Callvalue, "CALLVALUE", 2, 0, 1);
    set(Op::Calldataload, "CALLDATALOAD", 3, 1, 1);
    set(Op::Calldatasize, "CALLDATASIZE", 2, 0, 1);
    set(Op::Calldatacopy, "CALLDATACOPY", 3, 3, 0);
    set(Op::Codesize, "CODESIZE", 2, 0, 1);
    set(Op::Codecopy, "CODECOPY", 3, 3, 0);
    set(Op::Gasprice, "GASPRICE", 2, 0, 1);
    set(Op::Extcodesize, "EXTCODESIZE", 20, 1, 1);
    set(Op::Extcodecopy, "EXTCODECOPY", 20, 4, 0);
    set(Op::Returndatasize, "RETURNDATASIZE", 2, 0, 1, Byzantium);
    set(Op::Returndatacopy, "RETURNDATACOPY", 3, 3, 0, Byzantium);
    set(Op::Extcodehash, "EXTCODEHASH", 400, 1, 1, Constantinople);
    set(Op::Blockhash, "BLOCKHASH", 20, 1, 1);
    set(Op::Coinbase, "COINBASE", 2, 0, 1);
    set(Op::Timestamp, "TIMESTAMP", 2, 0, 1);
    set(Op::Number, "NUMBER", 2, 0, 1);
    set(Op::Prevrandao, "PREVRANDAO", 2, 0, 1);  // DIFFICULTY before Paris
    set(Op::Gaslimit, "GASLIMIT", 2, 0, 1);
    set(Op::Chainid, "CHAINID", 2, 0, 1, Istanbul);
    set(Op::Selfbalance, "SELFBALANCE", 5, 0, 1, Istanbul);
    set(Op::Basefee, "BASEFEE", 2, 0, 1, London);
    set(Op::Blobhash, "BLOBHASH", 3, 1, 1, Cancun);
    set(Op::Blobbasefee, "BLOBBASEFEE", 2, 0, 1, Cancun);
    set(Op::Pop, "POP", 2, 1, 0);
    set(Op::Mload, "MLOAD", 3, 1, 1);
    set(Op::Mstore, "MSTORE", 3, 2, 0);
    set(Op::Mstore8, "MSTORE8", 3, 2, 0);
    set(Op::Sload, "SLOAD", 50, 1, 1);
    set(Op::Sstore, "SSTORE", 0, 2, 0);
    set(Op::Jump, "JUMP", 8, 1, 0);
    set(Op::Jumpi, "JUMPI", 10, 2, 0);
    set(Op::Pc, "PC", 2, 0, 1);
    set(Op::Msize, "MSIZE", 2, 0, 1);
    set(Op::Gas, "GAS", 2, 0, 1);
    set(Op::Jumpdest, "JUMPDEST", 1, 0, 0);
    set(Op::Tload, "TLOAD", 100, 1, 1, Cancun);
    set(Op::Tstore, "TSTORE", 100, 2, 0, Cancun);
    set(Op::Mcopy, "MCOPY", 3, 3, 0, Cancun);
    set(Op::Push0, "PUSH0", 2, 0, 1, Shanghai);
    for (std::size_t i = 0; i < 32; ++i) {
        set(static_cast<Op>(0x60 + i), kPushNames[i], 3, 0, 1);
        t[0x60 + i].immediate_size = static_cast<std::uint8_t>(i + 1);
    }
    for (int i = 0; i < 16; ++i) {
        set(static_cast<Op>(0x80 + i), kDupNames[static_cast<std::size_t>(i)], 3, i + 1, i + 2);
        set(static_cast<Op>(0x90 + i), kSwapNames[static_cast<std::size_t>(i)], 3, i + 2, i + 2);
    }
    for (int i = 0; i < 5; ++i)
        set(static_cast<Op>(0xa0 + i), kLogNames[static_cast<std::size_t>(i)], 375 * (i + 1), i + 2, 0);
    set(Op::Create, "CREATE", 32000, 3, 1);
    set(Op::Call, "CALL", 40, 7, 1);
    set(Op::Callcode, "CALLCODE", 40, 7, 1);
    set(Op::Return, "RETURN", 0, 2, 0);
    set(Op::Delegatecall, "DELEGATECALL", 40, 6, 1, Homestead);
    set(Op::Create2, "CREATE2", 32000, 4, 1, Constantinople);
    set(Op::Staticcall, "STATICCALL", 700, 6, 1, Byzantium);
    set(Op::Revert, "REVERT", 0, 2, 0, Byzantium);
    set(Op::Invalid, "INVALID", 0, 0, 0);
    set(Op::Selfdestruct, "SELFDESTRUCT", 0, 1, 0);
    return t;
}
}  // namespace detail

inline constexpr std::array<Instruction, 256> kInstructions = detail::make_instructions();

namespace detail {
using CostTable = std::array<std::int32_t, 256>;

// Each step is one EIP that changed constant costs.
constexpr std::array<CostTable, kRevisionCount> make_costs() {
    std::array<CostTable, kRevisionCount> tables{};
    for (std::size_t r = 0; r < kRevisionCount; ++r) {
        const auto revision = static_cast<Revision>(r);
        CostTable& t = tables[r];
        const auto set = [&t](Op op, std::int32_t cost) { t[static_cast<std::size_t>(op)] = cost; };
        for (std::size_t i = 0; i < 256; ++i) {
            const Instruction& in = kInstructions[i];
            t[i] = !in.name.empty() && revision >= in.since ? in.cost : kUndefinedCost;
        }
        if (revision >= Revision::TangerineWhistle) {  // EIP-150
            set(Op::Balance, 400);
            set(Op::Extcodesize, 700);
            set(Op::Extcodecopy, 700);
            set(Op::Sload, 200);
            set(Op::Call, 700);
            set(Op::Callcode, 700);
            set(Op::Delegatecall, 700);
            set(Op::Selfdestruct, 5000);
        }
        if (revision >= Revision::Istanbul) {  // EIP-1884
            set(Op::Balance, 700);
            set(Op::Extcodehash, 700);
            set(Op::Sload, 800);
        }
        if (revision >= Revision::Berlin) {  // EIP-2929: the price of a warm access
            for (const Op op : {Op::Balance, Op::Extcodesize, Op::Extcodecopy, Op::Extcodehash, Op::Sload,
                                Op::Call, Op::Callcode, Op::Delegatecall, Op::Staticcall})
                set(op, 100);
        }
    }
    return tables;
}
}  // namespace detail

// Constant gas by revision and opcode; kUndefinedCost where undefined.
inline constexpr std::array<detail::CostTable, kRevisionCount> kCosts = detail::make_costs();

constexpr const detail::CostTable& costs(Revision revision) noexcept {
    return kCosts[static_cast<std::size_t>(revision)];
}

}  // namespace meridian::evm
