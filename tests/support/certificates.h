#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace content::testing {

/// A certificate and its private key, in PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

struct CertificateOptions {
  std::string common_name = {};
  bool is_ca = false;
  /// When it begins and ends to be valid, from now.
  absl::Duration begins = -absl::Hours(1);
  absl::Duration ends = absl::Hours(24 * 365);
  std::string extended_key_usage = "serverAuth,clientAuth";
  /// Subject alternative names, as OpenSSL's configuration has them.
  std::string names = "DNS:localhost,IP:127.0.0.1";
  /// 0: an elliptic curve.
  int rsa_bits = 0;
};

/// Returns a new certificate that `issuer` has signed; without one, that has signed itself.
Identity NewIdentity(const CertificateOptions& options, const Identity* issuer = nullptr);

struct CrlOptions {
  std::vector<Identity> revoked = {};
  absl::Duration begins = -absl::Hours(1);
  absl::Duration ends = absl::Hours(24);
  /// Whether it only adds to another list (RFC 5280, 5.2.4).
  bool is_delta = false;
};

/// Returns a list in PEM of certificates that `issuer` has revoked.
std::string NewCrl(const Identity& issuer, const CrlOptions& options = {});

/// The files of a server's operator, in a directory that is removed with this object. At first they
/// are valid: cert.pem (a server's, then the one of an intermediate CA), key.pem, clients.pem (the
/// CA of clients) and crls/clients.crl (which revokes nobody).
class OperatorFiles {
 public:
  OperatorFiles();
  ~OperatorFiles();

  OperatorFiles(const OperatorFiles&) = delete;
  OperatorFiles& operator=(const OperatorFiles&) = delete;

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  /// Replaces a file, or whatever has its name.
  void Write(const std::string& name, const std::string& text) const;

  /// Puts everything back as it was at first.
  void Restore() const;

  /// Makes a certificate that servers of this operator could use.
  Identity NewServer(const std::string& common_name, CertificateOptions options = {}) const;

  /// The same for a client.
  Identity NewClient(const std::string& common_name, CertificateOptions options = {}) const;

  /// The text of cert.pem for such a server.
  std::string ChainOf(const Identity& server) const;

  /// CAs: of the servers, one between it and them, of the clients; and one that is none of them.
  const Identity root;
  const Identity intermediate;
  const Identity client_ca;
  const Identity foreign_ca;

 private:
  const std::string directory_;
  const Identity server_;
};

/// A way to break valid files.
struct Damage {
  std::string name;
  std::function<void(const OperatorFiles&)> apply;
  /// Part of the error, which differs from those of the others.
  std::string cause;
};

/// All the ways.
std::vector<Damage> Damages();

}  // namespace content::testing
