// Who looked at what, and when.
#pragma once
#include "features/content/objects.h"

namespace basalt::features {

inline constexpr std::int64_t recents_kept = 100;   // per person and context

// Notes that the person looked at ("view") or picked ("selection") a "card", "dashboard", "collection" or "table"; counts
// views of cards, dashboards and tables. Never fails the request it belongs to: a store that is busy just forgets this view.
void note_view(Services& services, PersonId person, std::string_view model, std::int64_t id, std::string_view context = "view");

}  // namespace basalt::features
