// From the values of a dashboard's filters to the parameters of one of its cards. Pure.
#pragma once
#include "base/ids.h"
#include "base/json.h"

namespace basalt::features {

// `declared`: the dashboard's parameters. `mappings`: the dashcard's parameter_mappings. `given`: what the client sent,
// [{id, value, type?, target?}]. For each declared parameter mapped to `card`: the given value, or the default when the client
// did not mention it; a given null is "no filter" (handed on as null, so that the card's own default rests too).
// The target is the mapping's; a target sent by the client serves only where there is none and the parameter is not mapped.
// Throws BadRequest for a parameter the dashboard does not have, and when a required one without default has no value.
json::array dashcard_parameters(const json::array& declared, const json::array& mappings, CardId card, const json::array& given);

// May a value of type `given` be sent to a parameter declared as `declared`? ("string/contains" to "category": no.)
bool parameter_type_fits(std::string_view declared, std::string_view given);

}  // namespace basalt::features
