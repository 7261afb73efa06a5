// For tests: a server on loopback that answers one connection after the other, plain or over TLS with a certificate of its own
// authority.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/random.h"

namespace basalt::client {

// An authority and a certificate for 127.0.0.1 and localhost, as PEM.
struct TestCertificates {
  std::string authority, certificate, key;

  explicit TestCertificates(const std::string& host = "DNS:localhost,IP:127.0.0.1", int days = 1) {
    auto authority_key = EVP_EC_gen("P-256"), server_key = EVP_EC_gen("P-256");
    auto make = [&](const char* name, EVP_PKEY* its_key, X509* issuer, EVP_PKEY* issuer_key, const std::vector<std::pair<int, std::string>>& extensions) {
      auto* out = X509_new();
      X509_set_version(out, 2);
      ASN1_INTEGER_set(X509_get_serialNumber(out), issuer ? 2 : 1);
      X509_gmtime_adj(X509_getm_notBefore(out), -86400L * 2);
      X509_gmtime_adj(X509_getm_notAfter(out), 86400L * days);
      X509_set_pubkey(out, its_key);
      X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
      X509_set_issuer_name(out, X509_get_subject_name(issuer ? issuer : out));
      X509V3_CTX context;
      X509V3_set_ctx(&context, issuer ? issuer : out, out, nullptr, nullptr, 0);
      for (auto& [id, value] : extensions) {
        auto* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
        X509_add_ext(out, extension, -1);
        X509_EXTENSION_free(extension);
      }
      X509_sign(out, issuer_key, EVP_sha256());
      return out;
    };
    auto text = [](auto&& write) {
      auto* memory = BIO_new(BIO_s_mem());
      write(memory);
      char* data = nullptr;
      auto size = BIO_get_mem_data(memory, &data);
      std::string out(data, static_cast<std::size_t>(size));
      BIO_free(memory);
      return out;
    };
    auto* root = make("Test authority", authority_key, nullptr, authority_key, {{NID_basic_constraints, "critical,CA:TRUE"}, {NID_key_usage, "critical,keyCertSign"}});
    auto* leaf = make("Test server", server_key, root, authority_key, {{NID_subject_alt_name, host}});
    authority = text([&](BIO* b) { PEM_write_bio_X509(b, root); });
    certificate = text([&](BIO* b) { PEM_write_bio_X509(b, leaf); });
    key = text([&](BIO* b) { PEM_write_bio_PrivateKey(b, server_key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(root);
    X509_free(leaf);
    EVP_PKEY_free(authority_key);
    EVP_PKEY_free(server_key);
  }
};

class TestServer {
 public:
  // What is answered, word for word, to the request with this head and body. Nothing: the connection stays open and silent.
  using Answers = std::function<std::string(const std::string& request)>;

  explicit TestServer(Answers answers, const TestCertificates* certificates = nullptr) : answers_(std::move(answers)), acceptor_(context_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    if (certificates) {
      tls_.emplace(boost::asio::ssl::context::tls_server);
      tls_->use_certificate(boost::asio::buffer(certificates->certificate), boost::asio::ssl::context::pem);
      tls_->use_private_key(boost::asio::buffer(certificates->key), boost::asio::ssl::context::pem);
    }
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }
  ~TestServer() {
    thread_.request_stop();
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }
  std::string address(const std::string& path = "/") const { return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + port() + path; }
  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  std::vector<std::string> asked() const { std::lock_guard lock(mutex_); return asked_; }

  static std::string ok(const std::string& body, const std::string& head = "") { return "HTTP/1.1 200 OK\r\n" + head + "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body; }
  static std::string moved(const std::string& to, int status = 302) { return "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + to + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"; }
  static std::string status(int code) { return "HTTP/1.1 " + std::to_string(code) + " So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"; }
  // The path of a request.
  static std::string path(const std::string& request) { auto from = request.find(' ') + 1; return request.substr(from, request.find(' ', from) - from); }

 private:
  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      boost::asio::ip::tcp::socket socket(context_);
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      if (error) return;
      if (!tls_) {
        serve(socket);
        continue;
      }
      boost::asio::ssl::stream<boost::asio::ip::tcp::socket&> stream(socket, *tls_);
      stream.handshake(boost::asio::ssl::stream_base::server, error);
      if (error) continue;
      serve(stream);
      stream.shutdown(error);
    }
  }
  template <class Stream>
  void serve(Stream& stream) {
    boost::system::error_code error;
    boost::asio::streambuf in;
    auto head = boost::asio::read_until(stream, in, "\r\n\r\n", error);
    if (error) return;
    auto text = [&] { return std::string(boost::asio::buffers_begin(in.data()), boost::asio::buffers_end(in.data())); };
    std::size_t length = 0;
    if (auto at = text().find("Content-Length: "); at != std::string::npos && at < head) length = std::stoul(text().substr(at + 16));
    if (in.size() < head + length) boost::asio::read(stream, in, boost::asio::transfer_exactly(head + length - in.size()), error);
    {
      std::lock_guard lock(mutex_);
      asked_.push_back(text());
    }
    auto answer = answers_(text());
    boost::asio::write(stream, boost::asio::buffer(answer), error);
    if (answer.empty()) boost::asio::read_until(stream, in, "never", error);  // until the other side gives up
  }

  Answers answers_;
  boost::asio::io_context context_;
  std::optional<boost::asio::ssl::context> tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::jthread thread_;
};

// A folder for files, gone with the object.
struct TestFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("basalt-client-test-" + random_hex(8));
  TestFolder() { std::filesystem::create_directories(path); }
  ~TestFolder() { std::error_code ignored; std::filesystem::remove_all(path, ignored); }
  std::string write(const std::string& name, const std::string& text) const { std::ofstream(path / name, std::ios::binary) << text; return (path / name).string(); }
  std::string read(const std::string& name) const { std::ifstream in(path / name, std::ios::binary); return {std::istreambuf_iterator<char>(in), {}}; }
};

}  // namespace basalt::client
