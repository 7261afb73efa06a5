#include "launch/judge.h"

#include <cmath>

#include "base/time.h"

namespace basalt::launch {
namespace {

const json::value* with_id(const json::value& all, const char* list, std::int64_t id) {
  if (auto* items = json::sub_array(all, list))
    for (auto& item : *items) if (json::integer(item, "id") == id) return &item;
  return nullptr;
}

bool is_ok(const json::value* item) { return item && json::boolean(*item, "ok").value_or(false); }
std::string reason(const json::value* item) {
  auto text = item ? json::text(*item, "error").value_or("it does not say why") : std::string("it was not looked at");
  while (!text.empty() && text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::optional<std::string> worse(const json::value& before, const json::value& after, const std::string& version, Rows rows) {
  auto name = "Basalt " + version;
  if (!after.is_object() || json::integer(after, "format") != 1) return name + " did not say how it is.";
  if (auto said = json::text(after, "version").value_or("nothing"); said != version) return "What was started as " + name + " says that it is " + said + ".";
  auto* sign_in_before = json::find(before, "sign_in");
  auto* sign_in = json::find(after, "sign_in");
  if ((before.is_null() || is_ok(sign_in_before)) && !is_ok(sign_in)) return "Nobody can sign in to " + name + ": " + reason(sign_in) + ".";
  auto look = [&](const char* list, const char* what, const char* verb) -> std::optional<std::string> {
    auto* items = json::sub_array(before, list);
    if (!items) return std::nullopt;
    for (auto& item : *items) {
      auto id = json::integer(item, "id");
      if (!id || !is_ok(&item)) continue;
      auto* now = with_id(after, list, *id);
      if (!is_ok(now)) return std::string(what) + " " + std::to_string(*id) + " " + verb + " with " + name + ": " + reason(now) + ".";
      if (rows == Rows::MustBeEqual && json::text(item, "fingerprint") != json::text(*now, "fingerprint"))
        return std::string(what) + " " + std::to_string(*id) + " gives other rows with " + name + " than before.";
    }
    return std::nullopt;
  };
  if (auto why = look("dashboards", "Dashboard", "does not open")) return why;
  if (auto why = look("cards", "Card", "fails")) return why;
  if (auto why = look("data_sources", "Database", "cannot be reached")) return why;
  auto schema_before = json::integer(before, "schema"), schema = json::integer(after, "schema");
  if (schema_before && schema && *schema > *schema_before) {
    auto* backup = json::find(after, "backup");
    bool verified = backup && json::integer(*backup, "schema").value_or(0) >= 1 && json::integer(*backup, "schema") <= *schema_before && !json::text(*backup, "verified_at").value_or("").empty();
    // One that lies about from earlier is not the one that this change had to make.
    auto at = backup ? parse_timestamp(json::text(*backup, "verified_at").value_or("")) : std::nullopt;
    auto since = parse_timestamp(json::text(before, "since").value_or(""));
    if (since && (!at || *at < *since)) verified = false;
    if (!verified) return name + " changed the data without a verified backup.";
  }
  return std::nullopt;
}

std::optional<std::string> worse_traffic(const json::value& before, const json::value& after, const Rules& rules) {
  auto* then = json::find(before, "requests");
  auto* now = json::find(after, "requests");
  if (!now) return std::nullopt;
  auto count = json::integer(*now, "count").value_or(0), failures = json::integer(*now, "failures").value_or(0);
  if (count < rules.least_requests) return std::nullopt;
  auto count_then = then ? json::integer(*then, "count").value_or(0) : 0, failures_then = then ? json::integer(*then, "failures").value_or(0) : 0;
  double share = static_cast<double>(failures) / static_cast<double>(count), share_then = count_then > 0 ? static_cast<double>(failures_then) / static_cast<double>(count_then) : 0;
  auto percent = [](double part) { return std::to_string(static_cast<int>(std::lround(part * 100))) + " %"; };
  if (share > share_then + rules.failures_more) return percent(share) + " of the requests fail; before it were " + percent(share_then) + ".";
  auto slow = json::number(*now, "p95_ms"), slow_then = then ? json::number(*then, "p95_ms") : std::nullopt;
  if (slow && slow_then && count_then >= rules.least_requests && *slow > *slow_then * rules.slower_factor && *slow > *slow_then + rules.slower_more_ms)
    return "One in twenty requests takes longer than " + std::to_string(std::lround(*slow)) + " ms; before it were " + std::to_string(std::lround(*slow_then)) + " ms.";
  return std::nullopt;
}

std::optional<std::string> too_large(std::int64_t before, std::int64_t now, const Rules& rules) {
  if (before <= 0 || now <= before * rules.memory_factor + rules.memory_more) return std::nullopt;
  auto megabytes = [](std::int64_t bytes) { return std::to_string(bytes >> 20) + " MB"; };
  return "It takes " + megabytes(now) + " of memory; the version before it took " + megabytes(before) + ".";
}

}  // namespace basalt::launch
