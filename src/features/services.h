// Everything a route may need, built once in startup/ and living as long as the server.
#pragma once
#include <filesystem>
#include <memory>

#include "appdb/store.h"
#include "base/crypto.h"
#include "base/time.h"
#include "base/worker_pool.h"
#include "drivers/driver.h"
#include "features/settings/settings.h"
#include "http/routes.h"
#include "migrations/migration.h"
#include "permissions/rights.h"
#include "pipeline/run_query.h"

namespace basalt::jobs { class Scheduler; }
namespace basalt::session { class Sessions; class Passwords; }

namespace basalt::features {

class DataSources;   // features/queries/data_sources.h: pools of connections to the queried databases
class MetadataCache;  // features/databases/catalog.h: tables and fields in memory
class SyncJobs;      // features/databases/sync.h: sync of schemas, fingerprints, field values

struct Services {
  appdb::Store& store;
  permissions::Permissions& permissions;
  features::Settings& settings;
  drivers::Drivers& drivers;
  DataSources& data_sources;
  MetadataCache& metadata;
  SyncJobs& sync;
  pipeline::Environment& queries;
  session::Sessions& sessions;
  session::Passwords& passwords;
  jobs::Scheduler& scheduler;
  const Clock& clock;
  WorkerPool& query_pool;
  const Sealer& sealer;
  const std::vector<migrations::Migration>& migrations;
  std::filesystem::path data_directory;

  std::shared_ptr<const permissions::Rights> rights(const http::Request& request) const { return permissions.of(request.caller()); }
  std::string open_secret(const std::string& stored) const { return sealer.open(stored); }
  std::string seal_secret(const std::string& text) const { return sealer.seal(text); }
};

}  // namespace basalt::features
