#include "appdb/store.h"

#include "appdb/postgres_store.h"
#include "appdb/sqlite_store.h"

namespace basalt::appdb {

std::unique_ptr<Store> Store::open(StoreOptions options) {
  if (options.engine == Engine::Postgres) return std::make_unique<PostgresStore>(std::move(options));
  return std::make_unique<SqliteStore>(std::move(options));
}

}  // namespace basalt::appdb
