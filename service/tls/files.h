#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace content::tls {

/// Where the files are that a TLS server needs.
struct Paths {
  /// PEM: the server's certificate, then those that lead to its CA, in this order.
  std::string cert_file;
  /// PEM: the private key of that certificate, not encrypted.
  std::string key_file;
  /// PEM: the CAs of the clients' certificates. Empty: clients are not asked for any.
  std::string client_ca_file;
  /// A directory of PEM files that revoke clients' certificates. Empty: none are revoked.
  std::string crl_dir;
};

/// The contents of these files.
struct Files {
  std::string chain;
  std::string key;
  std::string client_cas;
  /// By path.
  std::map<std::string, std::string> crls;

  friend bool operator==(const Files&, const Files&) = default;
};

/// Reads the files. Never blocks, whatever kind of file a path leads to. The error is
/// INVALID_ARGUMENT and names the file: one cannot be read, is not a regular file, or is larger
/// than 1 MiB; or the directory has no files. Names in it that begin with a dot are skipped,
/// because Kubernetes keeps a volume's earlier contents under such names.
absl::StatusOr<Files> ReadFiles(const Paths& paths);

/// Returns the error that says what is wrong with a file.
absl::Status BadFile(absl::string_view path, absl::string_view what);

}  // namespace content::tls
