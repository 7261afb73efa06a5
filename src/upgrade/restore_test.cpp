// Backups that somebody changed, restores that stop midway, and what travels beside the tables.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/version.h"
#include "upgrade/backup_parts.h"
#include "upgrade/backup_schedule.h"
#include "upgrade/move.h"
#include "upgrade/seal.h"
#include "upgrade/test_home.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;

std::string sentence_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    EXPECT_NE(failure.kind(), FailureKind::Bug) << failure.sentence() << " " << failure.details();
    return failure.sentence();
  }
  return "";
}

// A backup whose inside is changed by `change` and that is sealed again, as somebody might do on purpose.
std::filesystem::path changed_backup(const Context& context, const std::filesystem::path& file, const std::function<void(appdb::SqliteConnection&)>& change) {
  auto opened = context.data_dir / "opened.sqlite", out = context.data_dir / "changed.basalt-backup";
  auto m = open_backup(context, file, opened);
  {
    auto c = open_scratch(opened);
    change(*c);
  }
  pack(opened, out, outside_json(m, false));
  std::filesystem::remove(opened);
  return out;
}

struct OnEngine : testing::TestWithParam<Engine> {
  void SetUp() override {
    set_version("0.1.0");
    if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
  }
};

TEST_P(OnEngine, uploaded_files_are_in_the_backup_and_come_back_in_the_place_of_others) {
  Home home(GetParam());
  home.create();
  auto context = home.context();
  std::string big(2'500'000, 'x');
  upload(context.data_dir, "a.csv", "id,name\n1,ä\n");
  upload(context.data_dir, "2026/über/b.bin", big);
  upload(context.data_dir, "empty", "");
  auto before = uploaded(context.data_dir);
  auto info = backup_create(context, "manual", "test");
  EXPECT_EQ(info.files, 3);
  std::filesystem::remove(context.data_dir / "uploads/a.csv");
  upload(context.data_dir, "later.csv", "later");
  restore(context, info.path);
  EXPECT_EQ(uploaded(context.data_dir), before);
  // What was there is kept, and listed.
  bool listed = false;
  for (auto& one : replaced_data(context)) listed = listed || (one.why == "uploads" && std::filesystem::exists(std::filesystem::path(one.name) / "later.csv"));
  EXPECT_TRUE(listed);
}

TEST_P(OnEngine, each_restore_starts_a_new_generation_and_keeps_what_it_replaced) {
  Home home(GetParam());
  home.create();
  auto context = home.context();
  auto info = backup_create(context, "manual", "test");
  auto generation = [&] { return home.store->read([](Connection& c) { return read_ledger(c).generation; }); };
  auto first = generation();
  restore(context, info.path);
  auto second = generation();
  restore(context, info.path);  // mostly within the same second
  auto third = generation();
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  EXPECT_EQ(replaced_data(context).size(), 2u);
  delete_replaced(context, replaced_data(context).front().name);
  EXPECT_EQ(replaced_data(context).size(), 1u);
  EXPECT_THROW(delete_replaced(context, "../basalt.sqlite"), Failure);
}

// What is put aside has the second in its name: here all names of the next two minutes are taken, as by restores before it.
TEST_P(OnEngine, a_restore_leaves_alone_what_another_one_of_the_same_second_put_aside) {
  Home home(GetParam());
  home.create();
  auto context = home.context();
  upload(context.data_dir, "a.csv", "1");
  auto info = backup_create(context, "manual", "test");
  auto file = home.stores.options().sqlite_path.string();
  auto schema = home.stores.options().postgres_schema;
  std::vector<std::string> times;
  for (int i = 0; i < 120; ++i) {
    std::string time;
    for (char c : to_text(system_clock().now() + std::chrono::seconds(i)).substr(0, 19)) if (c != '-' && c != ':') time += c;
    times.push_back(time);
    upload(context.data_dir / ("uploads.replaced-" + time), "earlier.csv", time);
    if (GetParam() == Engine::Sqlite) std::ofstream(file + ".replaced-" + time) << time;
    else home.store->connect()->execute_script("CREATE SCHEMA " + appdb::quoted(schema + "_replaced_" + time));
  }
  upload(context.data_dir, "b.csv", "2");
  restore(context, info.path);
  EXPECT_EQ(uploaded(context.data_dir).size(), 1u);
  for (auto& time : times) {
    EXPECT_EQ(uploaded(context.data_dir / ("uploads.replaced-" + time)), (std::map<std::string, std::string>{{"earlier.csv", time}}));
    if (GetParam() == Engine::Sqlite) EXPECT_EQ(bytes_of_file(file + ".replaced-" + time), time);
    else EXPECT_EQ(home.store->connect()->count("SELECT count(*) FROM pg_tables WHERE schemaname = ?", {schema + "_replaced_" + time}), 0);
  }
  int uploads = 0, data = 0;
  for (auto& one : replaced_data(context)) ++(one.why == "uploads" ? uploads : data);
  EXPECT_EQ(uploads, 121);
  EXPECT_EQ(data, 121);
}

TEST_P(OnEngine, an_encrypted_backup_is_listed_and_restored_with_its_passphrase_only) {
  Home home(GetParam(), migrations::all(), "check-1");
  home.create();
  home.fill();
  auto context = home.context();
  context.backup_passphrase = "a long passphrase";
  auto before = home.content();
  auto info = backup_create(context, "manual", "secret reason");
  EXPECT_TRUE(info.encrypted);
  EXPECT_GT(info.rows, 600);
  EXPECT_EQ(bytes_of_file(info.path).find("secret reason"), std::string::npos);
  auto other = home.context();
  auto listed = backup_list(other);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_TRUE(listed[0].encrypted);
  EXPECT_EQ(listed[0].schema, 1);
  EXPECT_EQ(listed[0].id, info.id);
  EXPECT_FALSE(listed[0].verified_at.empty());
  EXPECT_NE(sentence_of([&] { restore(other, info.path); }).find("is encrypted"), std::string::npos);
  other.backup_passphrase = "another";
  EXPECT_NE(sentence_of([&] { backup_verify(other, info.path); }).find("The passphrase is not the one"), std::string::npos);
  home.store->write([](Connection& c) { c.execute("DELETE FROM card"); });
  EXPECT_EQ(restore(context, info.path).code, done);
  EXPECT_EQ(home.content(), before);
  // The key of the data is told apart also where the front of the file does not say.
  auto wrong_key = home.context();
  wrong_key.key_check = "check-2";
  wrong_key.backup_passphrase = "a long passphrase";
  EXPECT_NE(sentence_of([&] { restore(wrong_key, info.path); }).find("another key"), std::string::npos);
}

TEST_P(OnEngine, a_backup_is_of_one_moment_while_others_write) {
  Home home(GetParam());
  home.create();
  home.fill();
  home.store->write([](Connection& c) {
    for (auto* key : {"a", "b"}) c.insert("setting", {{"key", key}, {"value", "0"}, {"updated_at", now}}, Connection::HasId::No);
  });
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::jthread writer([&] {
    for (int i = 1; !stop; ++i) {
      home.store->write([&](Connection& c) {
        // Two tables that always agree.
        c.update("setting", {{"value", std::to_string(i)}}, "key", "a");
        c.execute("UPDATE card SET description = ? WHERE name = 'card 7'", {std::to_string(i)});
        c.update("setting", {{"value", std::to_string(i)}}, "key", "b");
      });
      written = i;
    }
  });
  auto context = home.context();
  for (int round = 0; round < 5; ++round) {
    auto made = make_backup(context, "manual", "test", {}, KeepRestored::Yes);
    appdb::SqliteConnection c(made.restored->path());
    auto a = c.query_one("SELECT value FROM setting WHERE key = 'a'")->text("value"), b = c.query_one("SELECT value FROM setting WHERE key = 'b'")->text("value");
    auto card = c.query_one("SELECT coalesce(description, '0') AS d FROM card WHERE name = 'card 7'")->text("d");
    EXPECT_EQ(a, b);
    EXPECT_EQ(a, card);
  }
  stop = true;
  EXPECT_GT(written, 5);
}

TEST_P(OnEngine, a_restore_that_stops_anywhere_leaves_all_of_the_old_or_all_of_the_new) {
  Home home(GetParam());
  home.create();
  home.fill();
  auto context = home.context();
  upload(context.data_dir, "file", "new");
  auto info = backup_create(context, "manual", "test");
  auto restored = home.content();
  std::vector<std::string> edges;
  context.hook = [&](std::string_view edge) { edges.emplace_back(edge); };
  restore(context, info.path);
  EXPECT_EQ(home.content(), restored);
  ASSERT_GT(edges.size(), 3u);
  std::ofstream(backup_folder(context) / ".opened-of-a-crash.sqlite") << "left";
  for (std::size_t stop_at = 0; stop_at < edges.size(); ++stop_at) {
    home.store->write([&](Connection& c) { c.execute("DELETE FROM card WHERE id IN (SELECT id FROM card ORDER BY id LIMIT 3)"); });
    Context stopping = home.context();
    upload(stopping.data_dir, "file", "old");
    auto old = home.content();
    std::size_t edge = 0;
    stopping.hook = [&](std::string_view) { if (edge++ == stop_at) throw Failure(FailureKind::Unavailable, "stopped here"); };
    EXPECT_NE(sentence_of([&] { restore(stopping, info.path); }), "") << edges[stop_at];
    // A plain restart.
    home.store.reset();
    home.store = home.stores.open();
    Context after = home.context();
    clean_left_overs(after);
    auto now_there = home.content();
    EXPECT_TRUE(now_there == old || now_there == restored) << edges[stop_at];
    EXPECT_EQ(uploaded(after.data_dir).at("file"), now_there == old ? "old" : "new") << edges[stop_at];
    for (auto& entry : std::filesystem::directory_iterator(after.data_dir)) EXPECT_EQ(entry.path().string().find("restoring"), std::string::npos) << entry.path() << " after " << edges[stop_at];
    restore(after, info.path);
    EXPECT_EQ(home.content(), restored);
    EXPECT_FALSE(std::filesystem::exists(backup_folder(after) / ".opened-of-a-crash.sqlite"));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, OnEngine, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return std::string(info.param == Engine::Sqlite ? "sqlite" : "postgres"); });

TEST(ChangedBackup, is_refused_with_a_sentence_whatever_was_changed) {
  Home home(Engine::Sqlite);
  home.create();
  home.fill();
  auto context = home.context();
  upload(context.data_dir, "a", "content");
  auto info = backup_create(context, "manual", "test");
  auto before = home.content();
  struct Case { std::string change, expected; };
  std::vector<Case> cases{
      {"UPDATE card SET name = 'other' WHERE rowid = 5", "rows of table card are not those"},
      {"DELETE FROM card WHERE rowid = 5", "rows of table card are not those"},
      {"INSERT INTO card SELECT * FROM card WHERE rowid = 5", "table card"},
      {"UPDATE person SET email = NULL", "table person"},
      {"DROP TABLE card", "damaged"},
      {"ALTER TABLE card DROP COLUMN name", "damaged"},
      {"DROP TABLE manifest", "its manifest cannot be read"},
      {"DELETE FROM manifest", "no manifest inside"},
      {"UPDATE manifest SET value = '{}'", "manifest"},
      {"UPDATE manifest SET value = 'no JSON'", "its manifest cannot be read"},
      {"UPDATE manifest SET value = replace(value, '\"tables\"', '\"others\"')", "its manifest cannot be read"},
      {"UPDATE manifest SET value = replace(value, '\"integer\"', '\"strange\"')", "its manifest cannot be read"},
      {"UPDATE manifest SET value = replace(value, '\"format\":1', '\"format\":7')", "has format 7"},
      {"UPDATE manifest SET value = replace(value, '600:', '602:')", "manifests differ"},
      {"UPDATE basalt_files SET bytes = x'00'", "uploaded files are not those"},
      {"UPDATE basalt_files SET path = '../../a'", "leads elsewhere"},
      {"UPDATE basalt_files SET path = '/tmp/a'", "leads elsewhere"},
      {"UPDATE basalt_files SET part = 3", "uploaded files are not those"},
      {"DROP TABLE basalt_files", "uploaded files are not those"},
  };
  for (auto& one : cases) {
    auto file = changed_backup(context, info.path, [&](appdb::SqliteConnection& c) { c.execute_script(one.change); });
    EXPECT_NE(sentence_of([&] { backup_verify(context, file); }).find(one.expected), std::string::npos) << one.change << ": " << sentence_of([&] { backup_verify(context, file); });
    EXPECT_NE(sentence_of([&] { restore(context, file); }), "") << one.change;
    EXPECT_EQ(home.content(), before) << one.change;
  }
  EXPECT_EQ(uploaded(context.data_dir).at("a"), "content");
}

TEST(LeftOvers, of_a_crash_go_but_not_what_somebody_works_on) {
  Home home(Engine::Sqlite);
  home.create();
  auto context = home.context();
  auto backups = backup_folder(context);
  std::filesystem::create_directories(backups);
  auto names = {".partial-1.sqlite", ".verify-2.sqlite", ".restored-3.sqlite-wal", "x.basalt-backup.partial", "x.basalt-backup.verified.new"};
  auto make = [&] { for (auto* name : names) std::ofstream(backups / name) << "left"; };
  make();
  std::ofstream(context.data_dir / "basalt.sqlite.restoring") << "left";
  std::filesystem::create_directories(staged_uploads(context.data_dir, "another generation"));
  {
    ScratchFile live(backups / ".partial-live.sqlite");
    std::ofstream(live.path()) << "work";
    clean_left_overs(context);
    EXPECT_TRUE(std::filesystem::exists(live.path()));
    EXPECT_FALSE(std::filesystem::exists(context.data_dir / "basalt.sqlite.restoring"));
  }
  make();
  clean_left_overs(context);
  for (auto* name : names) EXPECT_FALSE(std::filesystem::exists(backups / name)) << name;
  EXPECT_FALSE(std::filesystem::exists(staged_uploads(context.data_dir, "another generation")));
}

struct Moving : testing::Test {
  void SetUp() override {
    set_version("0.1.0");
    if (auto missing = TestStores::missing(Engine::Postgres)) GTEST_SKIP() << *missing;
  }
};

TEST_F(Moving, to_postgres_and_back_carries_every_row_and_leaves_the_source) {
  Home home(Engine::Sqlite, migrations::all(), "check-1");
  home.create();
  home.fill();
  home.store->write([](Connection& c) { c.insert("upgrade_meta", {{"key", "key_check"}, {"value", "check-1"}}, Connection::HasId::No); });
  auto before = home.content();
  auto source = home.context();
  upload(source.data_dir, "a", "uploaded");
  TestStores postgres(Engine::Postgres);
  // All of it, also what is in no backup.
  auto every_row = [](appdb::Store& store) {
    return store.read([](Connection& c) {
      std::map<std::string, std::string> out;
      for (auto structure = read_ledger(c).structure; auto& t : structure.tables) out[t.name] = fingerprint(c, t).text();
      return out;
    });
  };
  auto all_before = every_row(*home.store);
  auto outcome = move(source, postgres.options(), source.data_dir);
  EXPECT_NE(outcome.sentence.find("from SQLite to PostgreSQL"), std::string::npos) << outcome.sentence;
  EXPECT_EQ(every_row(*home.store), all_before);
  EXPECT_EQ(home.content(), before);
  EXPECT_EQ(uploaded(source.data_dir).at("a"), "uploaded");
  home.store = postgres.open();
  EXPECT_EQ(home.content(), before);
  all_before = every_row(*home.store);
  auto moved = home.context();
  EXPECT_EQ(status(moved).decision, Decision::Run);
  // Again: the target is not empty any more.
  EXPECT_NE(sentence_of([&] { auto other = home.stores.open(); Context again{*other, home.known, home.stores.folder(), nullptr, "check-1", {}}; move(again, postgres.options(), again.data_dir); }).find("already holds the data"), std::string::npos);
  // And back, into a directory of its own.
  auto folder = home.stores.folder() / "back";
  std::filesystem::create_directories(folder);
  appdb::StoreOptions to;
  to.sqlite_path = folder / "basalt.db";
  moved.key_check = "another";
  EXPECT_NE(sentence_of([&] { move(moved, to, folder); }).find("encryption key is not the one"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(to.sqlite_path));
  moved.key_check = "check-1";
  move(moved, to, folder);
  EXPECT_EQ(uploaded(folder).at("a"), "uploaded");
  EXPECT_EQ(every_row(*home.store), all_before);
  home.store = appdb::Store::open(to);
  EXPECT_EQ(home.content(), before);
}

TEST_F(Moving, is_all_or_nothing) {
  Home home(Engine::Sqlite);
  home.create();
  home.fill();
  auto source = home.context();
  TestStores postgres(Engine::Postgres);
  std::vector<std::string> edges;
  for (std::size_t stop_at = 0; stop_at < 50; ++stop_at) {
    bool stopped = false;
    std::size_t edge = 0;
    source.hook = [&](std::string_view name) {
      if (edge++ != stop_at || name == "data in place") return;
      stopped = true;
      throw Failure(FailureKind::Unavailable, "stopped here");
    };
    auto sentence = sentence_of([&] { move(source, postgres.options(), source.data_dir); });
    auto there = read_ledger(*postgres.open()->connect()).present;
    EXPECT_EQ(there, !stopped) << sentence;
    if (there) {
      EXPECT_GE(stop_at, 3u) << "it should stop at some places before";
      return;
    }
  }
  FAIL() << "it never came to its end";
}

TEST_F(Moving, waits_for_no_server_that_serves_on_the_source) {
  Home home(Engine::Sqlite);
  home.create();
  auto other = home.stores.open();  // as another process has it
  auto source = home.context();
  source.lock_patience = std::chrono::milliseconds(50);
  TestStores postgres(Engine::Postgres);
  EXPECT_NE(sentence_of([&] { move(source, postgres.options(), source.data_dir); }), "");
  EXPECT_FALSE(read_ledger(*postgres.open()->connect()).present);
}

TEST(Schedule, knows_when_a_backup_is_due) {
  auto at = [](const char* text) { return *parse_timestamp(text); };
  auto started = at("2026-03-01T10:00:00Z");
  for (auto* text : {"02:30", "daily 02:30", "0 30 2 * * ? *"}) {
    BackupSchedule daily(text);
    EXPECT_FALSE(daily.is_due({}, started, at("2026-03-01T23:59:00Z"))) << "a first backup waits for its moment";
    EXPECT_TRUE(daily.is_due({}, started, at("2026-03-02T02:30:00Z")));
    EXPECT_FALSE(daily.is_due(at("2026-03-02T02:30:10Z"), started, at("2026-03-02T02:31:00Z")));
    EXPECT_TRUE(daily.is_due(at("2026-02-27T02:30:10Z"), started, at("2026-03-01T10:01:00Z"))) << "what was missed is made up for";
  }
  BackupSchedule hourly("0 15 * * * ? *"), distance("6h");
  EXPECT_TRUE(hourly.is_due(at("2026-03-01T10:15:01Z"), started, at("2026-03-01T11:15:00Z")));
  EXPECT_FALSE(hourly.is_due(at("2026-03-01T10:15:01Z"), started, at("2026-03-01T11:14:59Z")));
  EXPECT_FALSE(distance.is_due(at("2026-03-01T10:00:00Z"), started, at("2026-03-01T15:59:00Z")));
  EXPECT_TRUE(distance.is_due(at("2026-03-01T10:00:00Z"), started, at("2026-03-01T16:00:00Z")));
  EXPECT_TRUE(BackupSchedule("off").is_off());
  for (auto* wrong : {"", "25:00", "2:60", "6", "h", "0h", "weekly", "0 30 2 * * MON *", "0 99 2 * * ? *", "02:30 02:40"}) EXPECT_THROW(BackupSchedule{wrong}, Failure) << wrong;
}

TEST(Schedule, makes_a_backup_once_and_keeps_as_many_as_it_should) {
  Home home(Engine::Sqlite);
  home.create();
  auto context = home.context();
  context.backup_keep = 2;
  FixedClock clock(system_clock().now());
  ScheduledBackup job("1m", clock);
  EXPECT_FALSE(job.run_when_due(context));
  for (int i = 0; i < 4; ++i) {
    clock.advance(std::chrono::hours(1));
    EXPECT_TRUE(job.run_when_due(context));
  }
  auto kept = backup_list(context);
  EXPECT_EQ(kept.size(), 2u);
  for (auto& info : kept) EXPECT_EQ(info.kind, "scheduled");
}

}  // namespace
}  // namespace basalt::upgrade
