// Values that a filter offers: a fixed list, a column of a saved question, or what the filtered fields hold.
#pragma once
#include <functional>
#include "features/content/query_facts.h"

namespace basalt::features {

inline constexpr std::size_t parameter_values_at_most = 1'000;

struct ParameterQuestion {
  json::value parameter;                          // as declared: values_source_type and so on
  std::vector<FieldId> fields;                    // what it filters
  std::optional<std::string> search;              // only values that contain this text
  struct Other { std::vector<FieldId> fields; std::string type; json::value value; };
  std::vector<Other> others;                      // values of other filters that narrow this one down
};

// {"values": [[value] or [value, label], …], "has_more_values": bool}. The caller has asked whether the person may view the card
// or dashboard: as with its results, no right on the data is needed. A question used as the source must be in their sight.
json::object parameter_values(Services& services, const permissions::Rights& rights, const ParameterQuestion& question, std::stop_token gone);
// [value, label], or [value] when it has no label.
json::value parameter_remapping(Services& services, const permissions::Rights& rights, const ParameterQuestion& question, const std::string& value, std::stop_token gone);

// The parameter with that id; NotFound when there is none.
const json::value& require_parameter(const json::array& parameters, std::string_view id);

// The three routes of a filter's values below `base` ("/api/card/:id"): values, search, remapping. `question_of` asks for the
// right on the card or dashboard and says what the filter is about.
using QuestionOf = std::function<ParameterQuestion(const permissions::Rights&, const http::Request&)>;
void add_parameter_value_routes(http::Routes& routes, Services& services, const std::string& base, const std::string& summary, QuestionOf question_of);

}  // namespace basalt::features
