// Carries out commands for an account: the engine's, and those that tokens take part in.
#pragma once

#include <meridian/modules/exchange/commands.hpp>
#include <meridian/modules/exchange/logs.hpp>
#include <meridian/modules/exchange/tokens.hpp>

namespace meridian::modules::exchange {

// What a command gives: of an order its id, the lots filled and the lots that rest; of others an id or a
// number.
struct Given {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
};
// The error is NAME: sentence. Nothing is undone here: who began the call or command does that.
using Run = Result<Given, std::string>;

std::string reason_of(Error error);

// An exchange while a call or command is carried out in somebody's name.
class Work {
public:
    Work(module::Context& context, module::Ptr<ModuleRoot> root) noexcept;

    Run command(const Command& command);
    Run deposit(std::uint32_t sub, const Address& token, const u256& wei);
    Run withdraw(std::uint32_t sub, const Address& token, const u256& wei);

    // kNoAccount if there is none, which the engine refuses.
    AccountId account(std::uint32_t sub) const noexcept;
    module::Context& context() noexcept { return m_context; }
    Exchange& exchange() noexcept { return m_exchange; }
    Tokens& tokens() noexcept { return m_tokens; }
    // To be called once all is done.
    void write_logs() { m_logs.write(m_context); }

private:
    template <class T>
    Run run(std::uint32_t sub, const T& body);
    Run withdraw_units(std::uint32_t sub, AssetId asset, std::uint64_t units);
    Run publish(const PublishPrices& prices);
    Run add_asset(const AddAsset& asset);

    module::Context& m_context;
    LogSink m_logs;
    Exchange m_exchange;
    Tokens m_tokens;
};

}  // namespace meridian::modules::exchange
