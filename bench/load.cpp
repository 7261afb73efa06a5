// A load generator: N clients, each with one connection, send the same POST again and again for a while.
// load HOST PORT PATH CLIENTS SECONDS COOKIE BODY_FILE -> "requests_per_second p50_ms p99_ms failures"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

// Reads one answer; false when the connection is of no more use. `good`: status 2xx and a completed query.
static bool read_answer(int socket, std::string& buffer, bool& good) {
  buffer.clear();
  char piece[65536];
  std::size_t head = std::string::npos;
  long length = -1;
  bool chunked = false;
  for (;;) {
    auto count = ::recv(socket, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer.append(piece, static_cast<std::size_t>(count));
    if (head == std::string::npos && (head = buffer.find("\r\n\r\n")) != std::string::npos) {
      std::string headers = buffer.substr(0, head);
      std::transform(headers.begin(), headers.end(), headers.begin(), [](unsigned char c) { return std::tolower(c); });
      if (auto at = headers.find("content-length:"); at != std::string::npos) length = std::atol(headers.c_str() + at + 15);
      chunked = headers.find("transfer-encoding: chunked") != std::string::npos;
    }
    if (head == std::string::npos) continue;
    bool done = chunked ? buffer.ends_with("\r\n0\r\n\r\n") : buffer.size() >= head + 4 + static_cast<std::size_t>(std::max(0l, length));
    if (!done) continue;
    good = buffer.compare(9, 1, "2") == 0 && buffer.find("\"status\":\"completed\"") != std::string::npos;
    return true;
  }
}

int main(int argc, char** argv) {
  if (argc != 8) return 2;
  std::ifstream file(argv[7]);
  std::string body{std::istreambuf_iterator<char>(file), {}};
  std::string request = "POST " + std::string(argv[3]) + " HTTP/1.1\r\nHost: bench\r\nCookie: " + argv[6] +
                        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  inet_pton(AF_INET, argv[1], &address.sin_addr);
  auto clients = static_cast<std::size_t>(std::atoi(argv[4]));
  std::vector<std::vector<double>> times(clients);
  std::atomic<long> failures = 0;
  auto warm = Clock::now() + std::chrono::milliseconds(500), end = warm + std::chrono::seconds(std::atoi(argv[5]));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      int socket = ::socket(AF_INET, SOCK_STREAM, 0), on = 1;
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) { ++failures; return; }
      std::string buffer;
      while (Clock::now() < end) {
        auto began = Clock::now();
        bool good = false;
        if (::send(socket, request.data(), request.size(), 0) < 0 || !read_answer(socket, buffer, good)) { ++failures; break; }
        failures += !good;
        if (began >= warm) times[i].push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
      }
      ::close(socket);
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<double> all;
  for (auto& one : times) all.insert(all.end(), one.begin(), one.end());
  std::sort(all.begin(), all.end());
  auto at = [&](double share) { return all.empty() ? 0.0 : all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))]; };
  std::printf("%.0f %.3f %.3f %ld\n", static_cast<double>(all.size()) / std::atoi(argv[5]), at(0.5), at(0.99), failures.load());
}
