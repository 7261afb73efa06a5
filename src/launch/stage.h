// From a source of releases to a slot: what is there, whether it is due, fetched, checked, unpacked. Blocking calls, for commands
// and for the agent's thread.
#pragma once
#include <functional>
#include <memory>
#include <set>

#include "launch/slots.h"
#include "launch/state.h"
#include "release/decision.h"
#include "release/trust.h"

namespace basalt::launch {

// Where releases come from and who is believed. The functions throw Failure BadRequest in a sentence when nothing is configured.
struct Origin {
  std::function<std::unique_ptr<release::Repository>(std::stop_token)> source;
  std::function<std::string()> root;   // the text of the first root that is trusted
  std::filesystem::path trust;         // where what was seen of releases is kept
};

struct Policy {
  release::Policy policy = release::Policy::Notify;
  std::optional<release::Window> window;
};

// What decides on a release here.
release::Situation situation(const State&, const Slots&, const Policy&, Timestamp now);
// What a look found, for people: {checked_at, feed: "ok" | "failed: …", newest: {version, class, released_at, notes} | null,
// withdrawn: why | null, due: {decision, version, when, sentence}}.
json::object seen_json(const release::Releases&, const release::Decision&, const release::Situation&);
json::object seen_json(const std::string& failure, Timestamp now);

// Fetches the archive of a release that was read by a Trust, checks it and unpacks it; the archive is deleted afterwards.
// Slots::add says what is thrown; fetch_artefact too. The version may be here already.
Slot fetch(const release::Repository&, const release::Release&, Slots&, const State&, const client::Told& told = {});

}  // namespace basalt::launch
