// What a launcher asks a server before and after another version takes its place: does what people use still work, and does it
// give what it gave?
#pragma once
#include "features/services.h"
#include "http/server.h"
#include "upgrade/upgrade.h"

namespace basalt::features {

struct ProbeOptions {
  std::string token;                                     // of whoever may ask; empty: nobody
  std::function<http::ServerCounters()> counters;        // may be absent
  std::function<upgrade::Context()> context;             // for the newest backup; may be absent
  std::chrono::milliseconds each{10'000};                // for one dashboard, card or database
  std::chrono::milliseconds all{20'000}, all_asked{40'000};  // for a choice of our own; for what was asked for by id
};

// POST /api/updates/probe with X-Basalt-Probe: the token; without it 404 as of a path that does not exist. Body: {cards?: [ids],
// dashboards?: [ids], data_sources?: [ids], most?: {cards, dashboards}, only_counters?: true}; a list that is absent means a choice of those that are
// used. Answer: {format: 1, version, schema, sign_in: {ok, error}, dashboards: [{id, ok, error}], cards: [{id, ok, fingerprint, rows,
// ms, error}], data_sources: [{id, ok, ms, error}], requests: {count, failures, p95_ms}, memory_bytes, backup: {schema, verified_at} | null}.
// Nothing is changed but a session of a moment; queries run as an administrator.
void add_probe_routes(http::Routes& routes, Services& services, ProbeOptions options);

// Equal for equal columns and rows, in whatever order the rows come (probe_fingerprint.cpp). `answer`: of POST /api/dataset.
std::string result_fingerprint(const json::value& answer);

}  // namespace basalt::features
