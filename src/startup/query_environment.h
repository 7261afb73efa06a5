// What the pipeline asks of the features: the catalogue, settings in force, connections, and where to note how a run went.
#pragma once
#include <map>
#include <mutex>

#include "features/databases/catalog.h"
#include "features/queries/data_sources.h"
#include "features/settings/settings.h"
#include "pipeline/compile_cache.h"
#include "pipeline/run_query.h"

namespace basalt::startup {

class QueryEnvironment final : public pipeline::Environment {
 public:
  QueryEnvironment(appdb::Store& store, features::MetadataCache& cache, features::Settings& settings, features::DataSources& data_sources, std::chrono::minutes query_timeout);

  std::unique_ptr<query::Catalog> catalog() override;
  pipeline::Settings settings() override;
  std::shared_ptr<pipeline::ConnectionLease> lease(DatabaseId database, std::stop_token gone) override;
  // Notes are gathered in memory and written by flush(): a query must not wait for the application database's writer.
  void record(const pipeline::RunRecord& run) override;
  void flush();
  pipeline::CompileCache* compiled() override { return &compiled_; }

 private:
  struct Note { std::int64_t runs = 0, milliseconds = 0; };
  appdb::Store& store_;
  features::MetadataCache& cache_;
  features::Settings& settings_;
  features::DataSources& data_sources_;
  const std::chrono::minutes query_timeout_;
  pipeline::CompileCache compiled_;
  std::mutex mutex_;
  std::map<CardId, Note> notes_;  // GUARDED_BY(mutex_), at most one per card
};

}  // namespace basalt::startup
