// Running a saved card, alone or on a dashboard.
#pragma once
#include "features/cards/cards.h"
#include "features/content/parameter_values.h"

namespace basalt::features {

// A card's parameters: the stored ones, and one for each template tag that has none yet (with `target`).
json::array card_parameters(const json::array& stored, const json::value& dataset_query);

// Given values with type and target filled in from the card's parameters where they lack them (by id, then by slug). What names
// no parameter and has no target is left out. BadRequest when `given` is not a list of maps.
json::array merged_card_parameters(const json::array& parameters, const json::array& given);

struct CardRun {
  json::array parameters;                    // complete: with types and targets
  std::string context = "question";
  std::optional<DashboardId> dashboard;
  pipeline::Format format = pipeline::Format::Api;
  bool pivot = false;                        // with the subtotals that its pivot table shows
  bool own_targets = true;                   // false: a parameter is aimed where the card itself does not aim it
};
// Do all parameters aim where the card's own do, or at its template tags? Another aim asks what the card does not show.
bool targets_are_declared(const json::array& declared, const json::array& parameters);
// Streams the result. The caller has asked whether the person may view the card (row of select_cards()).
http::Response run_card(Services& services, const http::Request& request, std::shared_ptr<const permissions::Rights> rights, const appdb::Row& card, CardRun run);

bool is_template_tag_target(const json::value& target);  // ["variable" | "dimension", ["template-tag", …]]

// "csv", "json" and "api"; Unsupported for xlsx, BadRequest for others.
pipeline::Format format_from(const std::string& name);
// `parameters` of a body: an array, or JSON text of one (forms); absent: empty.
json::array parameters_from(const json::value& body);

// What GET …/params/:key/values asks of a card (row of select_cards()). NotFound for an unknown key.
ParameterQuestion card_parameter_question(const appdb::Row& card, const std::string& key);

}  // namespace basalt::features
