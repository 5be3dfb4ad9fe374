#include "bench/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace content::bench {
namespace {

constexpr char kHost[] = "127.0.0.1";

// HTTP/2 in the form of ALPN: the length comes before the name.
constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};

constexpr char kClosed[] = "the server has closed the connection";

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    Die("cannot connect", std::strerror(errno));
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

[[noreturn]] void DieOfTls(absl::string_view what) {
  const unsigned long error = ERR_get_error();
  if (error == 0) Die(what, kClosed);
  std::array<char, 256> why = {};
  ERR_error_string_n(error, why.data(), why.size());
  Die(what, why.data());
}

void CheckTls(bool is_ok, absl::string_view what) {
  if (!is_ok) DieOfTls(what);
}

SSL_CTX* MakeContext(const TlsFiles& files) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  CheckTls(SSL_CTX_load_verify_file(context, files.ca.c_str()) == 1, files.ca);
  if (!files.certificate.empty()) {
    CheckTls(SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1,
             files.certificate);
    CheckTls(SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1,
             files.key);
  }
  return context;
}

SSL* ConnectWithTls(int fd, const TlsFiles& files) {
  SSL_CTX* const context = MakeContext(files);
  SSL* const tls = SSL_new(context);
  SSL_CTX_free(context);  // `tls` keeps it
  SSL_set_fd(tls, fd);
  SSL_set_alpn_protos(tls, kHttp2.data(), kHttp2.size());
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), kHost);
  CheckTls(SSL_connect(tls) == 1, "cannot connect with TLS");
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls, &protocol, &size);
  if (size == 0) Die("cannot connect with TLS", "the server does not speak HTTP/2");
  return tls;
}

}  // namespace

void Die(absl::string_view what, absl::string_view why) {
  std::fprintf(stderr, "bench_load: %s: %s\n", std::string(what).c_str(), std::string(why).c_str());
  std::exit(EXIT_FAILURE);
}

Socket::Socket(int port, const TlsFiles& files) : fd_(Connect(port)) {
  if (!files.ca.empty()) tls_ = ConnectWithTls(fd_, files);
  fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Socket::~Socket() {
  SSL_free(tls_);
  close(fd_);
}

size_t Socket::Receive(uint8_t* buffer, size_t size) {
  if (tls_ != nullptr) return ReceiveWithTls(buffer, size);
  const ssize_t count = recv(fd_, buffer, size, 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0) Die("cannot receive", std::strerror(errno));
  if (count == 0) Die("cannot receive", kClosed);
  return static_cast<size_t>(count);
}

// Each call of OpenSSL gives no more than one record of 16 KiB.
size_t Socket::ReceiveWithTls(uint8_t* buffer, size_t size) {
  size_t received = 0;
  for (size_t count = 0; received < size; received += count) {
    if (SSL_read_ex(tls_, buffer + received, size - received, &count) != 1) {
      CheckThatItWouldBlock("cannot receive");
      break;
    }
  }
  return received;
}

size_t Socket::Send(absl::string_view data) {
  if (tls_ != nullptr) return SendWithTls(data);
  const ssize_t count = send(fd_, data.data(), data.size(), 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0) Die("cannot send", std::strerror(errno));
  return static_cast<size_t>(count);
}

size_t Socket::SendWithTls(absl::string_view data) {
  size_t sent = 0;
  for (size_t count = 0; sent < data.size(); sent += count) {
    if (SSL_write_ex(tls_, data.data() + sent, data.size() - sent, &count) != 1) {
      CheckThatItWouldBlock("cannot send");
      break;
    }
  }
  return sent;
}

void Socket::CheckThatItWouldBlock(absl::string_view what) const {
  const int error = SSL_get_error(tls_, 0);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) DieOfTls(what);
}

}  // namespace content::bench
