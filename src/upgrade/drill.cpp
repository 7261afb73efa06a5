#include "upgrade/drill.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "upgrade/backup_parts.h"
#include "upgrade/files.h"

extern char** environ;

namespace basalt::upgrade {
namespace {

struct Socket {
  int descriptor;
  ~Socket() { if (descriptor >= 0) ::close(descriptor); }
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t free_port() {
  Socket s{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (s.descriptor < 0 || ::bind(s.descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::getsockname(s.descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw Failure(FailureKind::Unavailable, "No free port was found for the drill.");
  return ntohs(address.sin_port);
}

// Status and body of a GET; absent while nobody answers.
std::optional<std::pair<int, std::string>> get(std::uint16_t port, const std::string& path) {
  Socket s{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  timeval limit{10, 0};
  ::setsockopt(s.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(s.descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  auto address = loopback(port);
  if (s.descriptor < 0 || ::connect(s.descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", answer;
  if (::send(s.descriptor, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) return std::nullopt;
  char part[8192];
  for (ssize_t got; answer.size() < (4u << 20) && (got = ::recv(s.descriptor, part, sizeof part, 0)) > 0;) answer.append(part, static_cast<std::size_t>(got));
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return std::nullopt;
  auto body = answer.find("\r\n\r\n");
  return std::pair(std::atoi(answer.c_str() + 9), body == std::string::npos ? std::string() : answer.substr(body + 4));
}

// The server on the scratch directory; stopped when this goes.
class Child {
 public:
  Child(const DrillOptions& options, const std::filesystem::path& folder, std::uint16_t port) : log_(folder / "server.log") {
    std::vector<std::string> words{options.program.string(), "serve", "--data-dir", folder.string(), "--address", "127.0.0.1", "--port", std::to_string(port), "--load-sample-content", "false", "--scheduled-jobs", "false", "--log-level", "warning"};
    // What the environment says of the real database must not reach it.
    std::vector<std::string> environment;
    for (char** entry = environ; entry && *entry; ++entry) {
      std::string_view text(*entry);
      if (!text.starts_with("BASALT_") && !text.starts_with("MB_")) environment.emplace_back(text);
    }
    if (!options.encryption_key.empty()) environment.push_back("BASALT_ENCRYPTION_SECRET_KEY=" + options.encryption_key);
    std::vector<char*> arguments, variables;
    for (auto& word : words) arguments.push_back(word.data());
    for (auto& variable : environment) variables.push_back(variable.data());
    arguments.push_back(nullptr);
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    // The server blocks the signals it waits for; a child would inherit that.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int error = ::posix_spawn(&process_, options.program.c_str(), &actions, &attributes, arguments.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) throw Failure(FailureKind::Unavailable, "The server for the drill could not be started: " + std::string(std::strerror(error)) + ".");
  }
  ~Child() { stop(); }
  Child(const Child&) = delete;

  bool ended() {
    int status = 0;
    if (process_ > 0 && ::waitpid(process_, &status, WNOHANG) == process_) process_ = -1;
    return process_ < 0;
  }
  void stop() {
    if (process_ < 0) return;
    ::kill(process_, SIGTERM);
    for (int i = 0; i < 400 && !ended(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    int status = 0;
    ::waitpid(process_, &status, 0);
    process_ = -1;
  }
  std::string last_words() const {
    std::ifstream in(log_);
    std::string last;
    for (std::string line; std::getline(in, line);) if (!line.empty()) last = line;
    return last;
  }

 private:
  std::filesystem::path log_;
  pid_t process_ = -1;
};

class ScratchFolder {
 public:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)), use_(path_.parent_path()) {
    std::filesystem::create_directory(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  ScratchUse use_;
};

}  // namespace

json::object DrillResult::to_json() const {
  return {{"backup", backup}, {"at", at}, {"sentence", sentence}, {"schema", schema}, {"people", people}, {"cards", cards}, {"dashboards", dashboards}, {"seconds", seconds}, {"boot_seconds", boot_seconds}};
}

DrillResult drill(Context& context, const std::filesystem::path& file, const DrillOptions& options) {
  auto since = [](std::chrono::steady_clock::time_point start) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  auto start = std::chrono::steady_clock::now();
  DrillResult out;
  out.backup = file.string();
  std::filesystem::create_directories(backup_folder(context));
  remove_scratch_left_in(backup_folder(context));
  ScratchFolder folder(backup_folder(context) / (".drill-" + random_hex(8)));
  appdb::StoreOptions store_options;
  store_options.sqlite_path = folder.path() / "basalt.db";
  Manifest m;
  {
    auto store = appdb::Store::open(store_options);
    Context scratch{.store = *store, .migrations = context.migrations, .data_dir = folder.path(), .progress = context.progress, .key_check = context.key_check, .hook = {}};
    scratch.backup_passphrase = context.backup_passphrase;
    restore(scratch, file);
    ScratchFile opened(folder.path() / "manifest.sqlite");
    m = open_backup(scratch, file, opened.path());
  }
  auto failed = [&](const std::string& why) { return Failure(FailureKind::BadRequest, "The backup " + file.string() + " restores, but the drill failed: " + why).with_error_type("drill-failed"); };
  auto began = std::chrono::steady_clock::now();
  {
    auto port = free_port();
    Child child(options, folder.path(), port);
    auto until = began + options.patience;
    for (;;) {
      auto health = get(port, "/api/health");
      if (health && health->first == 200) break;
      if (child.ended()) throw failed("the server stopped: " + child.last_words());
      if (std::chrono::steady_clock::now() > until) throw failed("the server was not ready after " + std::to_string(options.patience.count() / 1000) + " s.");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    out.boot_seconds = since(began);
    auto properties = get(port, "/api/session/properties");
    if (!properties || properties->first != 200) throw failed("the server does not answer what its sign-in page asks.");
    child.stop();
  }
  auto store = appdb::Store::open(store_options);
  store->read([&](appdb::Connection& c) {
    auto same = [&](const std::string& table) {
      auto* entry = m.table(table);
      auto expected = entry ? entry->fingerprint.rows : 0, found = c.count("SELECT count(*) FROM " + appdb::quoted(table));
      if (found != expected) throw failed("table " + table + " has " + std::to_string(found) + " rows and the backup " + std::to_string(expected) + ".");
      return found;
    };
    out.people = same("person");
    out.cards = same("card");
    out.dashboards = same("dashboard");
  });
  out.schema = m.schema;
  out.at = now_text();
  out.seconds = since(start);
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f", out.boot_seconds);
  out.sentence = "The backup of " + m.created_at + " brings the server back: it served after " + seconds + " s, with " + std::to_string(out.people) + " people, " + std::to_string(out.cards) + " cards and " +
                 std::to_string(out.dashboards) + " dashboards, as many as were backed up.";
  if (file.parent_path() == backup_folder(context)) {
    // Restored and compared on the way: so it is verified as well.
    write_mark(file, {out.at, out.at, out.sentence});
    try {
      context.store.write([&](appdb::Connection& c) { c.update("upgrade_backup", {{"verified_at", out.at}}, "backup_id", m.id); });
    } catch (const Failure& failure) {
      log::warning("The drill could not be noted in the data", {{"why", failure.sentence()}});
    }
  }
  return out;
}

}  // namespace basalt::upgrade
