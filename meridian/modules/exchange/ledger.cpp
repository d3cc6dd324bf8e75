#include <meridian/modules/exchange/ledger.hpp>

namespace meridian::modules::exchange {

using module::List;
using module::Place;
using module::Ptr;

namespace {

using Positions = module::HashMap<std::uint64_t, Ptr<Position>>;
using PositionList = List<Position, &Position::siblings>;

}  // namespace

// --- accounts --------------------------------------------------------------------------------------------

AccountKey Ledger::key_of(const Address& owner, std::uint32_t sub) noexcept {
    AccountKey key;
    std::copy(owner.begin(), owner.end(), key.bytes.begin());
    for (std::size_t i = 0; i < 4; ++i)
        key[20 + i] = static_cast<std::uint8_t>(sub >> (24 - 8 * i));
    return key;
}

AccountId Ledger::find_account(const Address& owner, std::uint32_t sub) const noexcept {
    const module::OrderedMap<AccountKey, AccountId> index(
        m_arena, m_arena.place(m_state, &ExchangeState::account_index));
    const auto at = index.find(key_of(owner, sub));
    return at ? index.value(at) : kNoAccount;
}

Result<AccountId, Error> Ledger::open_account(const Address& owner, std::uint32_t sub) {
    if (const AccountId found = find_account(owner, sub); found != kNoAccount)
        return found;
    module::Vector<Account> all = accounts();
    if (sub >= kSubAccountsMax || all.size() >= kAccountsMax)
        return fail(Error::TooManyAccounts);
    Account made{};
    made.owner = owner;
    made.sub = sub;
    if (!all.push_back(made))
        return fail(Error::ArenaFailed);
    const AccountId id = all.size();
    module::OrderedMap<AccountKey, AccountId> index(m_arena,
                                                    m_arena.place(m_state, &ExchangeState::account_index));
    if (!index.put(key_of(owner, sub), id))
        return fail(Error::ArenaFailed);
    return id;
}

// --- assets and balances ---------------------------------------------------------------------------------

Result<AssetId, Error> Ledger::add_asset() {
    module::Vector<Asset> all = assets();
    if (all.size() >= kAssetsMax)
        return fail(Error::TooMany);
    if (!all.push_back({}))
        return fail(Error::ArenaFailed);
    return all.size() - 1;
}

Balance Ledger::balance(AccountId account, AssetId asset) const noexcept {
    const auto map = balances();
    const auto at = map.find(pair_key(account, asset));
    return at ? map.value(at) : Balance{};
}

Result<void, Error> Ledger::credit(AccountId account, AssetId asset, std::uint64_t amount) {
    Balance content = balance(account, asset);
    content.total += amount;
    if (!balances().put(pair_key(account, asset), content))
        return fail(Error::ArenaFailed);
    return {};
}

Result<void, Error> Ledger::debit(AccountId account, AssetId asset, std::uint64_t amount) {
    Balance content = balance(account, asset);
    if (amount > content.total - content.held)
        return fail(Error::InsufficientBalance);
    content.total -= amount;
    auto map = balances();
    if (content.total == 0)
        map.erase(pair_key(account, asset));
    else if (!map.put(pair_key(account, asset), content))
        return fail(Error::ArenaFailed);
    return {};
}

Result<void, Error> Ledger::hold(AccountId account, AssetId asset, std::uint64_t amount) {
    auto map = balances();
    const auto at = map.find(pair_key(account, asset));
    if (!at || amount > map.value(at).total - map.value(at).held)
        return fail(Error::InsufficientBalance);
    map.edit(at).held += amount;
    return {};
}

void Ledger::release(AccountId account, AssetId asset, std::uint64_t amount) {
    auto map = balances();
    if (const auto at = map.find(pair_key(account, asset)))
        map.edit(at).held -= amount;
}

void Ledger::debit_held(AccountId account, AssetId asset, std::uint64_t amount) {
    auto map = balances();
    const auto at = map.find(pair_key(account, asset));
    if (!at)
        return;
    Balance& content = map.edit(at);
    content.total -= amount;
    content.held -= amount;
    if (content.total == 0)
        map.erase(pair_key(account, asset));
}

void Ledger::add_fees(AssetId asset, std::uint64_t amount) const noexcept {
    if (amount != 0)
        m_arena.edit(m_arena.place(asset_place(asset), &Asset::fees)) += amount;
}

// --- markets ---------------------------------------------------------------------------------------------

namespace {

bool fees_in_order(const MarketTerms& terms) noexcept {
    constexpr std::int32_t kRateMax = kPartsPerMillion / 10;
    if (terms.fee_tier_count == 0 || terms.fee_tier_count > kFeeTiersMax || terms.fees[0].volume_min != 0)
        return false;
    std::int32_t taker_least = kRateMax;
    std::int32_t maker_least = kRateMax;
    for (std::uint32_t i = 0; i < terms.fee_tier_count; ++i) {
        const FeeTier& tier = terms.fees[i];
        if (i > 0 && tier.volume_min <= terms.fees[i - 1].volume_min)
            return false;
        if (tier.taker_ppm < 0 || tier.taker_ppm > kRateMax || tier.maker_ppm > kRateMax)
            return false;
        taker_least = std::min(taker_least, tier.taker_ppm);
        maker_least = std::min(maker_least, tier.maker_ppm);
    }
    // Whatever tiers meet, the rebate comes out of the taker's fee.
    return maker_least >= -taker_least;
}

bool margins_in_order(const MarketTerms& terms) noexcept {
    constexpr std::uint32_t kLeverageMax = 1000;
    if (terms.margin_tier_count == 0 || terms.margin_tier_count > kMarginTiersMax)
        return false;
    for (std::uint32_t i = 0; i < terms.margin_tier_count; ++i) {
        const MarginTier& tier = terms.margins[i];
        const bool first = i == 0;
        if (tier.leverage_max == 0 || tier.leverage_max > kLeverageMax || tier.lower_bound > kSupplyMax)
            return false;
        if (first ? tier.lower_bound != 0
                  : tier.lower_bound <= terms.margins[i - 1].lower_bound ||
                        tier.leverage_max >= terms.margins[i - 1].leverage_max)
            return false;
    }
    return true;
}

bool perpetual_in_order(const MarketTerms& terms) noexcept {
    const bool scaled = terms.scale_upper != 0;
    return terms.quote_asset == kCollateral && terms.rules.size_max <= terms.open_interest_max &&
           terms.open_interest_max <= kSizeMax && margins_in_order(terms) && terms.impact_value != 0 &&
           terms.impact_value <= kSupplyMax && terms.scale_upper <= kSupplyMax &&
           (!scaled || terms.scale_lower < terms.scale_upper) && terms.staleness_ms != 0 &&
           terms.quorum != 0 && terms.quorum <= kPublishersMax;
}

}  // namespace

Result<void, Error> check_terms(const MarketTerms& terms) noexcept {
    if (const auto valid = check_rules(terms.rules); !valid)
        return valid;
    const bool spot = terms.kind == MarketKind::Spot;
    if (!spot && terms.kind != MarketKind::Perpetual)
        return fail(Error::BadTerms);
    if (terms.rules.fills_max > kFillsMax || terms.unit == 0 || !fees_in_order(terms))
        return fail(Error::BadTerms);
    if (spot ? terms.lot_units == 0 || terms.base_asset == terms.quote_asset : !perpetual_in_order(terms))
        return fail(Error::BadTerms);
    // 32, 38 and 58 bits: the product fits, and is a bound on what can occur.
    const Size lots_max = spot ? terms.rules.size_max : terms.open_interest_max;
    const Money units_max = kValueMax / (Money{terms.rules.price_max} * static_cast<Money>(lots_max));
    if (static_cast<Money>(terms.unit) > units_max)
        return fail(Error::BadTerms);
    if (spot && static_cast<Money>(terms.lot_units) > kValueMax / static_cast<Money>(lots_max))
        return fail(Error::BadTerms);
    return {};
}

Result<MarketId, Error> Ledger::add_market(const MarketTerms& terms, const Address& guardian) {
    if (const auto valid = check_terms(terms); !valid)
        return fail(valid.error());
    if (std::max(terms.base_asset, terms.quote_asset) >= asset_count())
        return fail(Error::UnknownAsset);
    module::Vector<Market> all = markets();
    if (all.size() >= kMarketsMax)
        return fail(Error::TooMany);
    Market made{};
    made.terms = terms;
    made.guardian = guardian;
    made.priced_ms = now_ms();
    if (!all.push_back(made))
        return fail(Error::ArenaFailed);
    const MarketId id = all.size() - 1;
    if (const auto created = Book::create(m_arena, m_arena.place(m_state, &ExchangeState::books),
                                          m_arena.place(market_place(id), &Market::book), terms.rules);
        !created)
        return fail(created.error());
    return id;
}

// --- positions -------------------------------------------------------------------------------------------

Ledger::PositionPtr Ledger::find_position(AccountId account, MarketId market) const noexcept {
    const Ptr<Position>* found =
        Positions(m_arena, m_arena.place(m_state, &ExchangeState::positions)).get(pair_key(account, market));
    return found != nullptr ? *found : PositionPtr{};
}

Result<Ledger::PositionPtr, Error> Ledger::open_position(AccountId account, MarketId market) {
    if (const PositionPtr found = find_position(account, market))
        return found;
    const auto made =
        module::Pool<Position>(m_arena, m_arena.place(m_state, &ExchangeState::position_pool)).allocate();
    if (!made)
        return fail(Error::ArenaFailed);
    const Market& in = this->market(market);
    const std::uint32_t leverage = in.terms.margins[0].leverage_max;
    Position& position = m_arena.edit(*made);
    position.account = account;
    position.market = market;
    position.leverage = leverage;
    Positions all(m_arena, m_arena.place(m_state, &ExchangeState::positions));
    if (!all.put(pair_key(account, market), *made))
        return fail(Error::ArenaFailed);
    return *made;
}

Result<void, Error> Ledger::activate(PositionPtr position) {
    const Position& content = m_arena.at(position);
    if (content.active())
        return {};
    const AccountId of = content.account;
    if (account(of).active_count >= kActiveMax)
        return fail(Error::TooManyPositions);
    m_arena.edit(position, &Position::flags) |= Position::kActive;
    ++edit_account(of, &Account::active_count);
    PositionList(m_arena, m_arena.place(account_place(of), &Account::positions)).push_back(position);
    return usable();
}

void Ledger::deactivate_if_idle(PositionPtr position) {
    const Position& content = m_arena.at(position);
    if (!content.active() || content.size != 0 || content.order_count != 0)
        return;
    const AccountId of = content.account;
    m_arena.edit(position, &Position::flags) &= ~Position::kActive;
    --edit_account(of, &Account::active_count);
    PositionList(m_arena, m_arena.place(account_place(of), &Account::positions)).remove(position);
}

Money Ledger::cash(const Position& position) const noexcept {
    return position.isolated() ? position.margin : account(position.account).balance;
}

void Ledger::add_cash(PositionPtr position, Money amount) const noexcept {
    const Position& content = m_arena.at(position);
    if (amount == 0)
        return;
    if (content.isolated())
        m_arena.edit(position, &Position::margin) += amount;
    else
        edit_account(content.account, &Account::balance) += amount;
}

// --- the exchange's own ----------------------------------------------------------------------------------

void Ledger::insurance_income(Money amount, Money Insurance::* source) const noexcept {
    Insurance& insurance = edit(&ExchangeState::insurance);
    insurance.*source += amount;
    const Money repaid = std::min(amount, insurance.debt);
    insurance.debt -= repaid;
    insurance.balance += amount - repaid;
}

Money Ledger::insurance_pay(Money amount) const noexcept {
    Insurance& insurance = edit(&ExchangeState::insurance);
    const Money had = std::min(amount, insurance.balance);
    insurance.paid += amount;
    insurance.balance -= had;
    insurance.debt += amount - had;
    return had;
}

}  // namespace meridian::modules::exchange
