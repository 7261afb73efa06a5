#include "features/activity/views.h"

#include "base/log.h"

namespace basalt::features {

void note_view(Services& services, PersonId person, std::string_view model, std::int64_t id, std::string_view context) {
  try {
    auto now = services.clock.now();
    services.store.write([&](appdb::Connection& connection) {
      auto changed = connection.execute("UPDATE recent_view SET viewed_at = ? WHERE person_id = ? AND model = ? AND model_id = ? AND context = ?", {now, person, model, id, context});
      if (!changed) {
        connection.insert("recent_view", {{"person_id", person}, {"model", model}, {"model_id", id}, {"context", context}, {"viewed_at", now}});
        connection.execute("DELETE FROM recent_view WHERE person_id = ? AND context = ? AND id NOT IN "
                           "(SELECT id FROM (SELECT id FROM recent_view WHERE person_id = ? AND context = ? ORDER BY viewed_at DESC, id DESC LIMIT ?) newest)",
                           {person, context, person, context, recents_kept});
      }
      if (context != "view") return;
      if (model == "card") connection.execute("UPDATE card SET view_count = view_count + 1, last_used_at = ? WHERE id = ?", {now, id});
      else if (model == "dashboard") connection.execute("UPDATE dashboard SET view_count = view_count + 1, last_viewed_at = ? WHERE id = ?", {now, id});
      else if (model == "table") connection.execute("UPDATE data_table SET view_count = view_count + 1 WHERE id = ?", {id});
    });
  } catch (const Failure& failure) {
    log::warning("view_not_noted", {{"reason", failure.sentence()}});
  }
}

}  // namespace basalt::features
