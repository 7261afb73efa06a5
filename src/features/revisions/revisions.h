// A bounded history of what people save.
#pragma once
#include "features/content/objects.h"

namespace basalt::features {

inline constexpr std::int64_t revisions_kept = 15;

enum class RevisionKind { Creation, Change, Reversion };

struct NewRevision {
  std::string_view model;                 // "card" or "dashboard"
  std::int64_t model_id = 0;
  PersonId person;
  RevisionKind kind = RevisionKind::Change;
  // The state before this save; kept first when the object has no history yet, so that nothing is ever overwritten unseen.
  const json::object* before = nullptr;
  const json::object* after = nullptr;    // never nullptr
  std::optional<std::string> message = {};
};
// Writes nothing when the state did not change (except for reversions). Drops what is older than the fifteenth.
void add_revision(appdb::Connection& connection, const NewRevision& revision, Timestamp now);

// What changed, as {"before": {…}, "after": {…}} with the differing keys alone.
json::object state_difference(const json::object& before, const json::object& after);
// Short words for it: "renamed this to \"Sales\"", "added 2 cards". Never empty when something differs.
std::vector<std::string> difference_sentences(std::string_view model, const json::object& before, const json::object& after);

// Newest first, in the API's shape.
json::array revisions_json(appdb::Connection& connection, std::string_view model, std::int64_t id);
// The state kept by one revision of that object; NotFound when it has no such revision.
json::object revision_state(appdb::Connection& connection, std::string_view model, std::int64_t id, RevisionId revision);

}  // namespace basalt::features
