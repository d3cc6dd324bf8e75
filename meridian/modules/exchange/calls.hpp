// What contracts can call, as IExchange.sol declares it.
#pragma once

#include <meridian/modules/exchange/command_run.hpp>

namespace meridian::modules::exchange {

// One call, undone by the caller if it is refused.
module::CallOutcome run_call(Work& work, BytesView input);

}  // namespace meridian::modules::exchange
