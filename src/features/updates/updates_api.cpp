#include "features/updates/updates_api.h"

#include <cstdio>

#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "features/updates/update_work.h"
#include "features/updates/updates_shape.h"
#include "migrations/execute.h"
#include "upgrade/backup.h"
#include "upgrade/files.h"

namespace basalt::features {
namespace {

constexpr std::size_t upload_limit = 64 << 20;

// All that the handlers share; lives as long as the routes.
struct Updates {
  Updates(Services& services_, UpdateOptions options_) : services(services_), options(std::move(options_)), work(services_.clock) {}

  Services& services;
  UpdateOptions options;
  UpdateWork work;

  upgrade::Context context(upgrade::Progress* progress = nullptr) {
    upgrade::Context out{.store = services.store, .migrations = services.migrations, .data_dir = services.data_directory, .progress = progress, .key_check = services.sealer.check_value(), .hook = {}};
    if (options.complete) options.complete(out);
    return out;
  }

  // By id, not by path: no file outside the list is ever opened.
  upgrade::BackupInfo backup(std::string_view id) {
    auto here = context();
    for (auto& one : upgrade::backup_list(here))
      if (!one.id.empty() && one.id == id) return one;
    throw Failure(FailureKind::NotFound, "There is no such backup any more.");
  }
};

std::string wanted_id(const http::Request& request) {
  auto id = json::text(request.json_body(), "id");
  if (!id || id->empty()) throw bad_field("id", "value must be the id of a backup.");
  return *id;
}

json::object backup_json(const upgrade::BackupInfo& info) {
  auto out = info.to_json();
  out["file"] = std::filesystem::path(info.path).filename().string();
  out["damaged"] = info.id.empty();
  return out;
}

// Tells how much of a backup is done, and from that how long the rest takes.
std::function<void(double)> told(upgrade::Progress& progress) {
  return [&progress, began = std::chrono::steady_clock::now()](double part) {
    auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    progress.set([&](upgrade::ProgressNow& now) {
      now.fraction = std::max(now.fraction, std::min(part, 1.0));
      // The first half writes, the second restores what was written and compares.
      if (part >= 0.6) now.state = "verifying-backup";
      if (seconds > 1 && now.fraction > 0.02) now.eta_seconds = seconds / now.fraction * (1 - now.fraction);
    });
  };
}

// The way back that people ask about: to the schema before the newest run that went up; null when there is none.
json::value way_back(Updates& updates, const json::array& runs, int schema) {
  for (auto& run : runs) {
    if (run.at("direction") != "up" || run.at("to").as_int64() != schema) continue;
    auto from = run.at("from").as_int64();
    if (from < 1) return nullptr;
    auto context = updates.context();
    return upgrade::plan(context, static_cast<int>(from)).to_json();
  }
  return nullptr;
}

json::value state_json(Updates& updates) {
  auto context = updates.context();
  auto status = upgrade::status(context);
  auto out = status.to_json();
  auto plan = upgrade::plan(context);
  json::array backups, runs, parked, replaced;
  for (auto& backup : upgrade::backup_list(context)) backups.push_back(backup_json(backup));
  updates.services.store.read([&](appdb::Connection& c) {
    runs = runs_json(c, 30);
    parked = parked_counts(c);
  });
  for (auto& one : upgrade::replaced_data(context)) replaced.push_back(one.to_json());
  json::array warnings;
  for (auto& sentence : updates.options.warnings) warnings.emplace_back(sentence);
  out["version"] = version();
  auto planned = plan.to_json();
  out["store_version"] = plan.engine;
  out["drift"] = planned["drift"];
  out["plan"] = plan.steps.empty() ? json::value(nullptr) : json::value(std::move(planned));
  out["way_back"] = way_back(updates, runs, status.schema);
  out["runs"] = std::move(runs);
  out["backups"] = std::move(backups);
  out["parked"] = std::move(parked);
  out["warnings"] = std::move(warnings);
  out["replaced"] = std::move(replaced);
  out["bake_minutes"] = updates.options.bake_minutes;
  out["schedule"] = json::object{{"every", updates.options.backup_schedule}, {"keep", updates.options.backup_keep}, {"encrypted", updates.options.backups_encrypted},
                                 {"folder", upgrade::backup_folder(context).string()}, {"free_bytes", upgrade::free_bytes(context.data_dir)}};
  out["release"] = updates.options.release ? updates.options.release(false) : json::value(nullptr);
  out["work"] = updates.work.to_json();
  return out;
}

http::Response file_answer(Updates& updates, const http::Request& request) {
  auto info = updates.backup(request.path_value("id"));
  log::info("Backup downloaded", {{"backup", info.id}, {"by", request.caller().email}});
  return http::Response::stream([path = info.path](http::ResponseStream& out) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file) throw Failure(FailureKind::NotFound, "There is no such backup any more.");
    out.start(200, {{"Content-Type", "application/octet-stream"}, {"Content-Disposition", "attachment; filename=\"" + std::filesystem::path(path).filename().string() + "\""}});
    std::string piece(64 << 10, '\0');
    while (auto size = std::fread(piece.data(), 1, piece.size(), file.get())) out.write(std::string_view(piece).substr(0, size));
    if (std::ferror(file.get())) throw Failure(FailureKind::Unavailable, "The backup could not be read to its end.");
  });
}

// A backup that was made elsewhere joins the list, once it has been restored into a scratch copy and compared.
json::value take_in(Updates& updates, const std::string& bytes, upgrade::Progress& progress) {
  auto context = updates.context(&progress);
  auto folder = upgrade::backup_folder(context);
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  upgrade::require_space(folder, static_cast<std::int64_t>(bytes.size()) * 8, "taking in a backup and verifying it");
  upgrade::ScratchFile arrived(folder / (".arrived-" + random_hex(8)));
  upgrade::write_durably(arrived.path(), bytes);
  auto manifest = upgrade::read_manifest(arrived.path());
  for (auto& one : upgrade::backup_list(context))
    if (one.id == manifest.id) throw Failure(FailureKind::Conflict, "This backup is in the list already.");
  progress.set([](upgrade::ProgressNow& now) { now.state = "verifying-backup"; });
  upgrade::backup_verify(context, arrived.path());
  auto name = "uploaded-" + manifest.id;
  for (char& letter : name) if (!std::isalnum(static_cast<unsigned char>(letter)) && letter != '-') letter = '-';
  auto file = folder / (name + ".basalt-backup");
  std::filesystem::rename(arrived.path(), file);
  upgrade::sync_folder(folder);
  return backup_json(upgrade::backup_verify(context, file));
}

void add_backup_routes(http::Routes& routes, const std::shared_ptr<Updates>& updates) {
  routes.post("/api/basalt/backup", [updates](http::Request& request) -> http::Response {
    auto body = request.json_body();
    auto reason = json::text(body, "reason").value_or("asked for on the Updates page").substr(0, 200);
    UpdateWork::Job job = [updates, reason](upgrade::Progress& progress) -> json::value {
      auto context = updates->context(&progress);
      progress.set([](upgrade::ProgressNow& now) { now.state = "backing-up"; });
      return backup_json(upgrade::make_backup(context, "manual", reason, told(progress)).info);
    };
    UpdateWork::Asked asked{"backup", "", request.caller().common_name()};
    if (json::boolean(body, "in_background").value_or(false)) return http::Response::json(updates->work.start(std::move(asked), std::move(job)), 202);
    return http::Response::json(updates->work.run(std::move(asked), job));
  }).administrator().runs_on(http::Pool::Query).summary("Make a backup and verify it; with in_background, answer 202 at once and tell how far it is at /api/basalt/updates/progress.");

  routes.post("/api/basalt/backup/verify", [updates](http::Request& request) -> http::Response {
    auto info = updates->backup(wanted_id(request));
    UpdateWork::Job job = [updates, path = info.path](upgrade::Progress& progress) -> json::value {
      auto context = updates->context(&progress);
      progress.set([](upgrade::ProgressNow& now) { now.state = "verifying-backup"; });
      return backup_json(upgrade::backup_verify(context, path));
    };
    UpdateWork::Asked asked{"verify", info.created_at, request.caller().common_name()};
    if (json::boolean(request.json_body(), "in_background").value_or(false)) return http::Response::json(updates->work.start(std::move(asked), std::move(job)), 202);
    return http::Response::json(updates->work.run(std::move(asked), job));
  }).administrator().runs_on(http::Pool::Query).summary("Restore a backup of the list into a scratch copy and compare it.");

  routes.post("/api/basalt/backup/restore", [updates](http::Request& request) -> http::Response {
    auto info = updates->backup(wanted_id(request));
    auto site = updates->services.settings.text("site-name");
    auto confirm = json::text(request.json_body(), "confirm").value_or("");
    if (confirm.empty() || (confirm != "RESTORE" && confirm != site)) throw bad_field("confirm", "value must be RESTORE or the name of this site.");
    log::info("Restore asked for", {{"backup", info.id}, {"by", request.caller().email}});
    auto job = [updates, path = info.path](upgrade::Progress& progress) -> json::value {
      auto context = updates->context(&progress);
      return upgrade::restore(context, path).to_json();
    };
    return http::Response::json(updates->work.start({"restore", info.created_at, request.caller().common_name()}, job, updates->options.restart), 202);
  }).administrator().summary("Put a backup in the place of all there is; what is there is kept beside it, everybody is signed out and the server starts anew.");

  routes.get("/api/basalt/backup/:id/file", [updates](http::Request& request) { return file_answer(*updates, request); }).administrator().summary("The file of a backup.");

  routes.post("/api/basalt/backup/file", [updates](http::Request& request) -> json::value {
    if (request.body.empty()) throw Failure(FailureKind::BadRequest, "Send the backup file as the body of the request.");
    return updates->work.run({"upload", "", request.caller().common_name()}, [&](upgrade::Progress& progress) { return take_in(*updates, request.body, progress); });
  }).administrator().runs_on(http::Pool::Query).body_up_to(upload_limit).summary("Take a backup file of at most 64 MB into the list, once it is verified.");
}

void add_replaced_routes(http::Routes& routes, const std::shared_ptr<Updates>& updates) {
  routes.post("/api/basalt/replaced/delete", [updates](http::Request& request) -> http::Response {
    auto name = json::text(request.json_body(), "name").value_or("");
    if (name.empty()) throw bad_field("name", "value must be the name of data that was put aside.");
    updates->work.run({"delete", name, request.caller().common_name()}, [&](upgrade::Progress&) -> json::value {
      auto context = updates->context();
      upgrade::delete_replaced(context, name);
      return nullptr;
    });
    log::info("Data that was put aside is deleted", {{"name", name}, {"by", request.caller().email}});
    return http::Response::no_content();
  }).administrator().runs_on(http::Pool::Query).summary("Delete data that a restore or an upgrade put aside.");
}

void add_parked_routes(http::Routes& routes, const std::shared_ptr<Updates>& updates) {
  routes.get("/api/basalt/parked", [updates](http::Request& request) -> json::value {
    auto limit = request.query_integer("limit").value_or(50), offset = request.query_integer("offset").value_or(0);
    if (limit < 1 || limit > 200) throw bad_field("limit", "value must be an integer from 1 to 200.");
    if (offset < 0) throw bad_field("offset", "value must be an integer of zero or more.");
    upgrade::ParkedFilter filter{std::string(request.query_value("table").value_or("")), std::string(request.query_value("state").value_or("")), static_cast<std::size_t>(limit), static_cast<std::size_t>(offset)};
    return updates->services.store.read([&](appdb::Connection& c) {
      auto page = upgrade::parked_page(c, filter);
      json::array data;
      for (auto& value : page.values) data.push_back(parked_json(c, value));
      return json::value(json::object{{"data", std::move(data)}, {"total", page.total}, {"limit", limit}, {"offset", offset}, {"counts", parked_counts(c)}});
    });
  }).administrator().summary("Values that an older schema could not hold, a page at a time.");

  auto one = [updates](const upgrade::ParkedValue& value) {
    return updates->services.store.read([&](appdb::Connection& c) { return json::value(parked_json(c, value)); });
  };
  routes.get("/api/basalt/parked/:id", [updates, one](http::Request& request) -> json::value {
    auto context = updates->context();
    return one(upgrade::parked_show(context, request.path_integer("id")));
  }).administrator().summary("One parked value, and what is at its place now.");
  routes.post("/api/basalt/parked/:id/take", [updates, one](http::Request& request) -> json::value {
    auto context = updates->context();
    return one(upgrade::parked_take(context, request.path_integer("id")));
  }).administrator().summary("Write a parked value over what is there now.");
  routes.post("/api/basalt/parked/:id/untake", [updates, one](http::Request& request) -> json::value {
    auto context = updates->context();
    return one(upgrade::parked_untake(context, request.path_integer("id")));
  }).administrator().summary("Undo that: what was written over is there again, unless somebody changed it since.");
}

}  // namespace

void add_update_routes(http::Routes& routes, Services& services, UpdateOptions options) {
  routes.in_feature("updates");
  add_probe_routes(routes, services, std::move(options.probe));
  add_self_upgrade_routes(routes, services, std::move(options.self));
  auto updates = std::make_shared<Updates>(services, std::move(options));

  routes.get("/api/basalt/updates", [updates](http::Request&) -> json::value { return state_json(*updates); }).administrator().runs_on(http::Pool::Query).summary("Versions, the plan, nodes, runs, backups and parked values.");

  // Without a look into the application database: it is asked every second, also while that is being replaced.
  routes.get("/api/basalt/updates/progress", [updates](http::Request&) -> json::value { return json::object{{"work", updates->work.to_json()}}; })
      .administrator()
      .summary("How far the work is that runs, or how the last one ended.");

  routes.post("/api/basalt/updates/check", [updates](http::Request&) -> json::value {
    auto known = updates->options.release ? updates->options.release(true) : json::value(nullptr);
    auto feed = json::text(known, "feed");
    if (!feed || *feed == "off") throw Failure(FailureKind::BadRequest, "No release feed is configured; set the option release-feed to a file or an address.");
    return known;
  }).administrator().runs_on(http::Pool::Query).summary("Ask the release feed now.");

  routes.post("/api/basalt/updates/finalise", [updates](http::Request& request) -> http::Response {
    auto job = [updates](upgrade::Progress& progress) -> json::value {
      auto context = updates->context(&progress);
      return upgrade::finalise(context).to_json();
    };
    auto context = updates->context();
    auto status = upgrade::status(context);
    if (status.pending.empty()) throw Failure(FailureKind::Conflict, "Nothing is left to finalise.");
    log::info("Finalise asked for", {{"schema", std::to_string(status.schema)}, {"by", request.caller().email}});
    return http::Response::json(updates->work.start({"finalise", "schema " + std::to_string(status.schema), request.caller().common_name()}, job), 202);
  }).administrator().runs_on(http::Pool::Query).summary("Put what an upgrade left for later into effect; older versions cannot open the data afterwards.");

  add_backup_routes(routes, updates);
  add_replaced_routes(routes, updates);
  add_parked_routes(routes, updates);
}

}  // namespace basalt::features
