#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tls/files.h"

namespace content::tls {

/// Files that have been validated, and what is told about them.
struct Certificates {
  std::string chain;
  std::string key;
  std::string client_cas;
  /// One revocation list each, by the names under which OpenSSL looks for them: HASH.r0, HASH.r1.
  std::map<std::string, std::string> crls;
  /// The issuers of lists that were left out, because both have expired.
  std::vector<std::string> expired_issuers;

  /// Of the server's certificate: its subject, when it expires, and its SHA-256 in hexadecimal.
  std::string subject;
  absl::Time not_after;
  std::string fingerprint;
};

/// Checks that a server can use the files at the time `now`: they parse; the key belongs to the
/// server's certificate; each certificate is in date and signed by the next; the server's is for
/// servers; OpenSSL finds keys and digests strong enough. The clients' CAs are CAs, one of them in
/// date; every revocation list is in date and signed by one of them. (One that is not in date is
/// left out if its CA has expired: nobody issues a newer list, and no client of that CA is let in.)
/// Otherwise the error is INVALID_ARGUMENT, and names the file, by `paths`, and what is wrong with
/// it.
absl::StatusOr<Certificates> Validate(const Paths& paths, const Files& files, absl::Time now);

}  // namespace content::tls
