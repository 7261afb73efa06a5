#include "launch/judge.h"

namespace basalt::launch {
namespace {

const json::value* same(const json::value& all, const char* list, const json::value& item) {
  auto id = json::integer(item, "id");
  auto* items = json::sub_array(all, list);
  if (!id || !items) return nullptr;
  for (auto& one : *items) if (json::integer(one, "id") == id) return &one;
  return nullptr;
}

}  // namespace

json::value steady_part(const json::value& first, const json::value& second) {
  if (!first.is_object() || !second.is_object()) return first.is_object() ? first : second;
  auto out = second.get_object();
  for (auto* list : {"dashboards", "cards", "data_sources"}) {
    json::array kept;
    if (auto* items = json::sub_array(second, list))
      for (auto& item : *items) {
        auto* other = same(first, list, item);
        if (other && json::boolean(*other, "ok").value_or(false) && json::boolean(item, "ok").value_or(false) && json::text(*other, "fingerprint") == json::text(item, "fingerprint")) kept.push_back(item);
      }
    out[list] = std::move(kept);
  }
  return out;
}

json::object question(const json::value& before) {
  json::object out;
  if (!before.is_object()) return out;
  for (auto* list : {"dashboards", "cards", "data_sources"}) {
    json::array ids;
    if (auto* items = json::sub_array(before, list))
      for (auto& item : *items) if (auto id = json::integer(item, "id")) ids.push_back(*id);
    out[list] = std::move(ids);
  }
  return out;
}

}  // namespace basalt::launch
