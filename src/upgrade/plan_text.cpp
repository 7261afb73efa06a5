// A plan as text, for a terminal.
#include <algorithm>
#include <cmath>

#include "upgrade/files.h"
#include "upgrade/plan.h"

namespace basalt::upgrade {
namespace {

constexpr std::size_t width = 100, label = 11;

std::string grouped(std::int64_t n) {
  auto digits = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string duration(double seconds) {
  auto whole = [](double v) { return std::to_string(static_cast<std::int64_t>(std::llround(v))); };
  if (seconds < 1) return whole(std::max(1.0, seconds * 1000)) + " ms";
  if (seconds < 10) {
    auto tenths = static_cast<std::int64_t>(std::llround(seconds * 10));
    return std::to_string(tenths / 10) + (tenths % 10 ? "." + std::to_string(tenths % 10) : "") + " s";
  }
  if (seconds < 100) return whole(seconds) + " s";
  if (seconds < 7200) return whole(seconds / 60) + " min";
  return whole(seconds / 3600) + " h";
}

// An estimate: no more digits than anybody should believe.
std::string roughly(double seconds) {
  if (seconds < 0.8) return "under 1 s";
  if (seconds < 10) return std::to_string(static_cast<std::int64_t>(std::llround(seconds))) + " s";
  if (seconds < 100) return std::to_string(static_cast<std::int64_t>(std::llround(seconds / 5) * 5)) + " s";
  return duration(seconds);
}

std::string space(std::int64_t bytes) {
  if (bytes < 10'000'000'000) return megabytes(bytes);
  return grouped(bytes / 1'000'000'000) + " GB";
}

// Characters, not bytes: names may hold any.
std::size_t length(std::string_view text) {
  std::size_t n = 0;
  for (unsigned char c : text) n += (c & 0xC0) != 0x80;
  return n;
}
std::string padded(std::string text, std::size_t to) { return text + std::string(to > length(text) ? to - length(text) : 0, ' '); }
std::string right(std::string text, std::size_t to) { return std::string(to > length(text) ? to - length(text) : 0, ' ') + text; }

// Breaks at blanks; later lines begin with `indent` blanks. `first`: how far the first line has come already.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t first) {
  std::string out, word;
  std::size_t at = first;
  auto put = [&] {
    if (word.empty()) return;
    if (at > indent && at + 1 + length(word) > width) {
      out += "\n" + std::string(indent, ' ');
      at = indent;
    } else if (at > first || !out.empty()) {
      out += " ";
      ++at;
    }
    out += word;
    at += length(word);
    word.clear();
  };
  for (char c : text) {
    if (c == ' ') put();
    else word += c;
  }
  put();
  return out;
}

std::string line(const std::string& name, const std::string& text) { return "  " + padded(name, label) + wrapped(text, label + 2, label + 2) + "\n"; }

std::string words(std::string name) {
  for (auto& c : name) if (c == '_') c = ' ';
  return name;
}

std::string listed(const std::vector<std::string>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) out += (i == 0 ? "" : i + 1 == all.size() ? " and " : ", ") + all[i];
  return out;
}

std::string lock_words(const PlanOperation& operation) {
  if (operation.phase == "finalise") return "waits";
  if (operation.lock == "writers") return "writers " + duration(operation.lock_ms / 1000);
  if (operation.lock == "table") return "readers " + duration(operation.lock_ms / 1000);
  return "";
}

std::string node_list(const std::vector<PlanNode>& nodes) {
  std::vector<std::string> names;
  for (auto& node : nodes) names.push_back(node.name + " (" + node.binary + ")");
  return listed(names);
}

std::string steps_text(const Plan& plan) {
  std::size_t widest = 30;
  for (auto& step : plan.steps) {
    widest = std::max(widest, length(words(step.name)) + 6);
    for (auto& operation : step.operations) widest = std::max(widest, length(operation.text) + 6);
  }
  widest = std::min<std::size_t>(widest, 64);
  bool sqlite = plan.engine.starts_with("SQLite");
  std::string out = "  " + padded("", widest) + right("rows", 10) + right("time", 9) + (sqlite ? "" : "   who waits") + "\n";
  for (auto& step : plan.steps) {
    auto head = std::to_string(step.migration) + "  " + words(step.name);
    out += "  " + padded(head, widest) + right(grouped(step.rows), 10) + right(duration(step.seconds), 9);
    if (step.direction == "down") out += step.will_park ? "   " + grouped(step.will_park) + (step.will_park == 1 ? " value is parked" : " values are parked") : "   nothing is parked";
    out += "\n";
    for (auto& operation : step.operations) {
      auto text = "     " + operation.text;
      out += "  " + padded(text, widest);
      auto who = lock_words(operation);
      if (operation.phase == "finalise") out += (length(text) > widest ? "  " : std::string()) + right("", 19) + "   at finalise";
      else if (!sqlite && !who.empty()) out += (length(text) > widest ? "  " : std::string()) + right("", 19) + "   " + who;
      while (out.back() == ' ') out.pop_back();
      out += "\n";
    }
  }
  return out;
}

}  // namespace

std::string plan_text(const Plan& plan, const std::string& command) {
  bool blocked = !plan.reasons.empty();
  std::string out;
  if (plan.steps.empty()) {
    if (!blocked) out += "Nothing to do: the data has schema " + std::to_string(plan.from) + (plan.waiting.empty() ? "." : ", expanded.") + "\n";
  } else if (plan.fresh) {
    return "There is no data yet. The first start makes it, with schema " + std::to_string(plan.to) + " at once.\n";
  } else {
    bool down = plan.steps.front().direction == "down";
    out += std::string(down ? "Step down" : "Upgrade") + " of the data from schema " + std::to_string(plan.from) + " to " + std::to_string(plan.to) + "  (" + plan.engine + ")\n\n" + steps_text(plan) + "\n";
    std::string how = plan.eta_from == "rehearsal" ? "rehearsed " + plan.rehearsed_at.substr(0, 16) : plan.eta_from == "history" ? "as it took the last time" : "estimated; --rehearse measures it";
    auto most = roughly(plan.eta_p95_seconds), usual = roughly(plan.eta_seconds);
    out += line("time", (usual.starts_with("under") ? usual : "about " + usual) + (most == usual ? "" : ", 95 % sure: " + std::string(most.starts_with("under") ? "" : "under ") + most) + "  (" + how + "; verified backup and rehearsal included)");
    if (plan.longest_lock.empty()) out += line("waiting", "nobody waits longer than a moment");
    else if (plan.engine.starts_with("SQLite")) out += line("waiting", "writers about " + duration(plan.longest_lock_ms / 1000) + ", readers never");
    else out += line("waiting", "at most " + duration(plan.longest_lock_ms / 1000) + ", for: " + plan.longest_lock);
    out += line("disk", space(plan.bytes_needed) + " needed, " + space(plan.bytes_free) + " free" +
                            (plan.server_bytes_needed ? "; and about " + space(plan.server_bytes_needed) + " on the database server" : ""));
    if (!down) {
      std::string back = "basalt migrate down --to " + std::to_string(plan.from);
      if (plan.later_parks) back += "; " + grouped(plan.later_parks) + " values that return now would be parked again";
      if (!plan.later_places.empty()) back += "; it keeps aside " + listed(plan.later_places);
      out += line("way back", back);
    }
  }
  if (!plan.older_nodes.empty())
    out += line("nodes", node_list(plan.older_nodes) + (plan.older_nodes.size() == 1 ? " serves" : " serve") + " an older version still: what is marked \"at finalise\" waits for " + (plan.older_nodes.size() == 1 ? "it" : "them"));
  if (!plan.stale_nodes.empty()) out += line("stale", node_list(plan.stale_nodes) + (plan.stale_nodes.size() == 1 ? " is" : " are") + " heard no more and " + (plan.stale_nodes.size() == 1 ? "is" : "are") + " not waited for");
  if (!plan.waiting.empty()) out += line("waits", listed(plan.waiting) + " (basalt migrate finalize)");
  std::size_t blocking = 0, extra = 0, unfinished = 0;
  for (auto& one : plan.drift) ++(one.blocks ? blocking : one.kind == "unfinished" ? unfinished : extra);
  if (unfinished) out += line("cut off", std::to_string(unfinished) + (unfinished == 1 ? " thing that an earlier change left unfinished is" : " things that an earlier change left unfinished are") + " finished first");
  if (!plan.steps.empty() || blocking || extra)
    out += line("drift", blocking == 0 && extra == 0 ? "none: the database is as Basalt made it"
                                                     : (blocking ? std::to_string(blocking) + (blocking == 1 ? " thing is" : " things are") + " not as made, see below" : std::string("nothing is missing")) +
                                                           (extra ? "; " + std::to_string(extra) + (extra == 1 ? " thing is" : " things are") + " somebody's own and left alone" : ""));
  if (blocked || blocking) {
    out += blocked ? "\nBLOCKED, and nothing was changed:\n" : "\nNot as Basalt made it:\n";
    auto reasons = plan.reasons;
    if (!blocked)
      for (auto& one : plan.drift) if (one.blocks) reasons.push_back(one.sentence);
    for (auto& reason : reasons) out += "  - " + wrapped(reason, 4, 4) + "\n";
  } else if (!plan.steps.empty()) {
    out += "\nTo do it: " + command + "\n";
  }
  return out;
}

std::string repair_text(const Plan& plan, const std::string& prelude) {
  std::string out;
  std::vector<std::string> known;
  for (auto& one : plan.drift) {
    if (!one.blocks || one.repair.empty() || std::find(known.begin(), known.end(), one.repair) != known.end()) continue;
    known.push_back(one.repair);
    out += "-- " + one.sentence + "\n" + one.repair + "\n";
  }
  return out.empty() || prelude.empty() ? out : prelude + "\n" + out;
}

}  // namespace basalt::upgrade
