#include "features/updates/release_feed.h"

#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/random.h"

namespace basalt::features {
namespace {

const std::string document = R"({"releases":[
  {"version":"0.2.0","released_at":"2026-11-20","class":"minor","schema":4,"notes":"# More"},
  {"version":"0.10.0","released_at":"2026-12-20","class":"security","schema":5,"notes":"x"},
  {"version":"9.0.0","released_at":"2027-01-01","class":"major","withdrawn":true},
  {"version":"0.1.0","withdrawn":true}, {"version":"nonsense"}, 7]})";

// Answers one connection after the other with the given texts, word for word.
class Answers {
 public:
  explicit Answers(std::vector<std::string> texts) : acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    thread_ = std::jthread([this, texts = std::move(texts)] {
      for (auto& text : texts) {
        boost::asio::ip::tcp::socket socket(context_);
        boost::system::error_code error;
        acceptor_.accept(socket, error);
        if (error) return;
        boost::asio::streambuf request;
        boost::asio::read_until(socket, request, "\r\n\r\n", error);
        asked.push_back(std::string(boost::asio::buffers_begin(request.data()), boost::asio::buffers_end(request.data())));
        boost::asio::write(socket, boost::asio::buffer(text), error);
        if (text.empty()) boost::asio::read_until(socket, request, "never", error);  // until the other side gives up
      }
    });
  }
  ~Answers() {
    boost::system::error_code error;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    acceptor_.close(error);
  }
  std::string address(const std::string& path = "/feed.json") const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path; }
  std::vector<std::string> asked;

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::jthread thread_;
};

std::string ok(const std::string& body) { return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body; }

ReleaseFeed::Options from(std::string source) { return {.source = std::move(source), .current = "0.1.0"}; }

TEST(ReleaseFeed, compares_versions_as_numbers) {
  EXPECT_EQ(compare_versions("0.10.0", "0.9.9"), 1);
  EXPECT_EQ(compare_versions("v1.2", "1.2.0"), 0);
  EXPECT_EQ(compare_versions("1.2.0-rc1", "1.2.0"), -1);
  EXPECT_EQ(compare_versions("1.2.0+5", "1.2.0"), 0);
  EXPECT_FALSE(compare_versions("", "1.2.0"));
  EXPECT_FALSE(compare_versions("1.2.3.4", "1.2.0"));
}

TEST(ReleaseFeed, finds_the_newest_that_was_not_withdrawn_in_a_file) {
  auto path = testing::TempDir() + "basalt-feed-" + random_hex(6) + ".json";
  std::ofstream(path) << document;
  for (auto& source : {path, "file://" + path}) {
    ReleaseFeed feed(from(source));
    EXPECT_EQ(json::text(feed.latest(), "feed"), "not asked yet");
    feed.refresh();
    auto latest = feed.latest();
    EXPECT_EQ(json::text(latest, "feed"), "ok");
    EXPECT_EQ(json::text(latest.at("available"), "version"), "0.10.0");
    EXPECT_EQ(json::text(latest.at("available"), "class"), "security");
    EXPECT_TRUE(json::boolean(latest, "withdrawn").value()) << "the one that runs was";
  }
  auto options = from(path);
  options.current = "0.10.0";
  ReleaseFeed newest(options);
  newest.refresh();
  EXPECT_TRUE(newest.latest().at("available").is_null());
  std::filesystem::remove(path);
}

TEST(ReleaseFeed, asks_an_address_follows_where_it_moved_and_sends_nothing_of_ours) {
  Answers server({"HTTP/1.1 302 Found\r\nLocation: /moved.json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ok(document)});
  ReleaseFeed feed(from(server.address()));
  feed.refresh();
  auto latest = feed.latest();
  EXPECT_EQ(json::text(latest, "feed"), "ok") << json::write(latest);
  EXPECT_EQ(json::text(latest.at("available"), "version"), "0.10.0");
  ASSERT_EQ(server.asked.size(), 2u);
  EXPECT_TRUE(server.asked[1].starts_with("GET /moved.json HTTP/1.1")) << server.asked[1];
  EXPECT_EQ(server.asked[0].find("0.1.0"), std::string::npos);
}

TEST(ReleaseFeed, says_what_is_wrong_and_keeps_what_it_knew) {
  Answers server({ok(document), "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ok("<html>"), ok(std::string(2 << 20, 'x')), "HTTP/1.1 302 Found\r\nLocation: ftp://elsewhere/\r\nContent-Length: 0\r\n\r\n"});
  ReleaseFeed feed(from(server.address()));
  feed.refresh();
  for (auto* part : {"answered 500", "no list of releases", "longer than", "redirection"}) {
    feed.refresh();
    auto latest = feed.latest();
    EXPECT_NE(json::text(latest, "feed").value().find(part), std::string::npos) << json::write(latest);
    EXPECT_EQ(json::text(latest.at("available"), "version"), "0.10.0");
  }
}

TEST(ReleaseFeed, waits_for_nobody_for_ever) {
  Answers server({""});
  auto options = from(server.address());
  options.patience = std::chrono::milliseconds(200);
  ReleaseFeed feed(options);
  feed.refresh();
  EXPECT_NE(json::text(feed.latest(), "feed").value().find("in time"), std::string::npos) << json::write(feed.latest());
}

TEST(ReleaseFeed, is_off_without_a_source_and_asks_no_network_when_air_gapped) {
  EXPECT_EQ(json::text(ReleaseFeed(from("")).latest(), "feed"), "off");
  auto options = from("http://127.0.0.1:1/feed.json");
  options.air_gapped = true;
  ReleaseFeed feed(options);
  feed.refresh();
  EXPECT_EQ(json::text(feed.latest(), "feed"), "off");
  options.source = "/nowhere/feed.json";
  ReleaseFeed file(options);
  file.refresh();
  EXPECT_NE(json::text(file.latest(), "feed").value().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace basalt::features
