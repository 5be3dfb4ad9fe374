#include "tls/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace content::tls {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Crl = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using AuthorityKeyId = std::unique_ptr<AUTHORITY_KEYID, Deleter<AUTHORITY_KEYID_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(const Bio& written) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(written.get(), &data);
  return {data, static_cast<size_t>(size)};
}

// gRPC looks for certificates and keys in text in its own way. In text that we write, it finds
// those that were validated.
template <class Object, class Write>
void AppendPem(const Object& object, Write write, std::string& pem) {
  const Bio bio(BIO_new(BIO_s_mem()));
  write(bio.get(), object.get());
  pem += TextOf(bio);
}

std::string PemOf(const std::vector<Certificate>& certificates) {
  std::string pem;
  for (const Certificate& certificate : certificates) {
    AppendPem(certificate, PEM_write_bio_X509, pem);
  }
  return pem;
}

std::string PemOf(const Key& key) {
  std::string pem;
  const auto write = [](BIO* bio, const EVP_PKEY* object) {
    return PEM_write_bio_PrivateKey(bio, object, nullptr, nullptr, 0, nullptr, nullptr);
  };
  AppendPem(key, write, pem);
  return pem;
}

std::string PemOf(const Crl& crl) {
  std::string pem;
  AppendPem(crl, PEM_write_bio_X509_CRL, pem);
  return pem;
}

// Returns the reason of this thread's last error, in OpenSSL's words, and forgets all errors.
std::string TakeReason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown format";
}

constexpr char kEncrypted[] = "is encrypted; a server needs it without a passphrase";

// Instead of asking for a passphrase on the terminal, which is what OpenSSL does by default.
int RefusePassphrase(char* /*passphrase*/, int /*size*/, int /*is_writing*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

// Returns all objects of a type in a PEM file, of which there must be one. `read` is OpenSSL's
// function for the type, and `what` its name.
template <class Object, class Read>
absl::StatusOr<std::vector<Object>> ReadPem(const std::string& path, const std::string& text,
                                            absl::string_view what, Read read) {
  const Bio bio = Reader(text);
  bool was_asked = false;
  std::vector<Object> objects;
  ERR_clear_error();
  while (auto* const object = read(bio.get(), nullptr, RefusePassphrase, &was_asked)) {
    objects.emplace_back(object);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool is_at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string reason = TakeReason();
  if (was_asked) return BadFile(path, kEncrypted);
  if (!is_at_end) {
    return BadFile(path, absl::StrCat("contains a ", what, " that cannot be read: ", reason));
  }
  if (objects.empty()) return BadFile(path, absl::StrCat("contains no ", what, " (PEM)"));
  return objects;
}

absl::StatusOr<std::vector<Certificate>> ReadCertificates(const std::string& path,
                                                          const std::string& text) {
  return ReadPem<Certificate>(path, text, "certificate", PEM_read_bio_X509);
}

absl::StatusOr<Key> ReadKey(const std::string& path, const std::string& text) {
  const Bio bio = Reader(text);
  bool was_asked = false;
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassphrase, &was_asked));
  const std::string reason = TakeReason();
  if (was_asked) return BadFile(path, kEncrypted);
  if (!key) return BadFile(path, absl::StrCat("contains no private key (PEM): ", reason));
  return key;
}

std::string NameOf(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  std::string text = TextOf(bio);
  return text.empty() ? "(a name that is empty)" : text;
}

std::string SubjectOf(const Certificate& certificate) {
  return NameOf(X509_get_subject_name(certificate.get()));
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return absl::FromTimeT(timegm(&parts));
}

std::string Format(absl::Time time) { return absl::FormatTime(time, absl::UTCTimeZone()); }

// Says what is wrong with a time of validity; empty if nothing is. `end` may be null: it never
// ends.
std::string CheckDates(const ASN1_TIME* begin, const ASN1_TIME* end, absl::Time now) {
  if (now < TimeOf(begin)) return absl::StrCat("is not valid before ", Format(TimeOf(begin)));
  if (end == nullptr || now <= TimeOf(end)) return "";
  return absl::StrCat("has expired on ", Format(TimeOf(end)));
}

std::string CheckDates(const Certificate& certificate, absl::Time now) {
  return CheckDates(X509_get0_notBefore(certificate.get()), X509_get0_notAfter(certificate.get()),
                    now);
}

bool IsCa(const Certificate& certificate) { return X509_check_ca(certificate.get()) > 0; }

bool IsSignedBy(const Certificate& certificate, const Certificate& issuer) {
  return X509_check_issued(issuer.get(), certificate.get()) == X509_V_OK &&
         X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
}

bool IsForServers(const Certificate& certificate) {
  if ((X509_get_extension_flags(certificate.get()) & EXFLAG_XKUSAGE) == 0) return true;
  return (X509_get_extended_key_usage(certificate.get()) & (XKU_SSL_SERVER | XKU_ANYEKU)) != 0;
}

absl::Status CheckChain(const std::string& path, const std::vector<Certificate>& chain,
                        absl::Time now) {
  for (size_t i = 0; i < chain.size(); ++i) {
    if (const std::string wrong = CheckDates(chain[i], now); !wrong.empty()) {
      return BadFile(path, absl::StrCat("contains ", SubjectOf(chain[i]), ", which ", wrong));
    }
    if (i == 0) continue;
    if (!IsCa(chain[i])) {
      return BadFile(path, absl::StrCat("contains ", SubjectOf(chain[i]),
                                        ", which is not the first and not a CA"));
    }
    if (!IsSignedBy(chain[i - 1], chain[i])) {
      return BadFile(
          path, absl::StrCat("is out of order: ", SubjectOf(chain[i - 1]), " is not signed by ",
                             SubjectOf(chain[i]), ", which follows"));
    }
  }
  if (IsForServers(chain.front())) return absl::OkStatus();
  return BadFile(path, absl::StrCat("contains ", SubjectOf(chain.front()),
                                    ", whose extended key usage is not serverAuth"));
}

// Lets OpenSSL take them as gRPC will, which refuses weak keys and digests.
absl::Status TryToUse(const Paths& paths, const std::vector<Certificate>& chain, const Key& key) {
  const Context context(SSL_CTX_new(TLS_server_method()));
  ERR_clear_error();
  bool is_usable = SSL_CTX_use_certificate(context.get(), chain.front().get()) == 1;
  for (size_t i = 1; is_usable && i < chain.size(); ++i) {
    is_usable = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  }
  if (!is_usable) {
    return BadFile(paths.cert_file, absl::StrCat("is refused by OpenSSL: ", TakeReason()));
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1) return absl::OkStatus();
  return BadFile(paths.key_file, absl::StrCat("is refused by OpenSSL: ", TakeReason()));
}

absl::Status CheckClientCas(const std::string& path, const std::vector<Certificate>& cas,
                            absl::Time now) {
  for (const Certificate& ca : cas) {
    if (!IsCa(ca)) {
      return BadFile(path, absl::StrCat("contains ", SubjectOf(ca), ", which is not a CA"));
    }
  }
  // Others may be of the past or the future, while CAs change.
  const bool has_current = std::any_of(
      cas.begin(), cas.end(), [now](const Certificate& ca) { return CheckDates(ca, now).empty(); });
  if (has_current) return absl::OkStatus();
  return BadFile(path, absl::StrCat("contains no CA that is in date: ", SubjectOf(cas.front()), " ",
                                    CheckDates(cas.front(), now)));
}

// As OpenSSL will when a client connects. gRPC lets clients in whose CA has no list that OpenSSL
// takes.
bool IsSignedBy(const Crl& crl, const Certificate& ca) {
  const AuthorityKeyId key_id(static_cast<AUTHORITY_KEYID*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_authority_key_identifier, nullptr, nullptr)));
  return (key_id == nullptr || X509_check_akid(ca.get(), key_id.get()) == X509_V_OK) &&
         (X509_get_key_usage(ca.get()) & KU_CRL_SIGN) != 0 &&
         X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(ca.get())) == 0 &&
         X509_CRL_verify(crl.get(), X509_get0_pubkey(ca.get())) == 1;
}

// OpenSSL would take a delta for a complete list, and pass over one of limited scope.
bool IsComplete(const Crl& crl) {
  constexpr int kCritical = 1;
  return X509_CRL_get_ext_by_NID(crl.get(), NID_delta_crl, -1) < 0 &&
         X509_CRL_get_ext_by_critical(crl.get(), kCritical, -1) < 0;
}

// Those that signed the list. A CA that was renewed may be there twice.
std::vector<const Certificate*> IssuersOf(const Crl& crl, const std::vector<Certificate>& cas) {
  std::vector<const Certificate*> issuers;
  for (const Certificate& ca : cas) {
    if (IsSignedBy(crl, ca)) issuers.push_back(&ca);
  }
  return issuers;
}

bool HaveExpired(const std::vector<const Certificate*>& cas, absl::Time now) {
  return std::all_of(cas.begin(), cas.end(), [now](const Certificate* ca) {
    return now > TimeOf(X509_get0_notAfter(ca->get()));
  });
}

absl::Status CheckCrl(const std::string& path, const Crl& crl, absl::Time now) {
  const std::string issuer = NameOf(X509_CRL_get_issuer(crl.get()));
  if (!IsComplete(crl)) {
    return BadFile(path, absl::StrCat("is a revocation list of ", issuer,
                                      " that is not complete: a delta, or of limited scope"));
  }
  const std::string wrong =
      CheckDates(X509_CRL_get0_lastUpdate(crl.get()), X509_CRL_get0_nextUpdate(crl.get()), now);
  if (wrong.empty()) return absl::OkStatus();
  return BadFile(path, absl::StrCat("is a revocation list of ", issuer, ", which ", wrong));
}

// Adds a list under the next free name for its issuer.
void AddCrl(const Crl& crl, std::map<std::string, std::string>& crls) {
  const unsigned long hash =
      X509_NAME_hash_ex(X509_CRL_get_issuer(crl.get()), nullptr, nullptr, nullptr);
  int number = 0;
  while (!crls.try_emplace(absl::StrFormat("%08x.r%d", hash, number), PemOf(crl)).second) ++number;
}

// Reads the revocation lists into `certificates`.
absl::Status ReadCrls(const Files& files, const std::vector<Certificate>& cas, absl::Time now,
                      Certificates& certificates) {
  for (const auto& [path, text] : files.crls) {
    const auto crls = ReadPem<Crl>(path, text, "revocation list", PEM_read_bio_X509_CRL);
    if (!crls.ok()) return crls.status();
    for (const Crl& crl : *crls) {
      const std::string issuer = NameOf(X509_CRL_get_issuer(crl.get()));
      const std::vector<const Certificate*> issuers = IssuersOf(crl, cas);
      if (issuers.empty()) {
        return BadFile(path, absl::StrCat("is a revocation list of ", issuer,
                                          ", but not signed by one of the clients' CAs"));
      }
      absl::Status status = CheckCrl(path, crl, now);
      if (status.ok()) {
        AddCrl(crl, certificates.crls);
      } else if (HaveExpired(issuers, now)) {
        certificates.expired_issuers.push_back(issuer);
      } else {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

std::string FingerprintOf(const Certificate& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), size});
}

absl::StatusOr<Certificates> ValidateServer(const Paths& paths, const Files& files,
                                            absl::Time now) {
  const auto chain = ReadCertificates(paths.cert_file, files.chain);
  if (!chain.ok()) return chain.status();
  const auto key = ReadKey(paths.key_file, files.key);
  if (!key.ok()) return key.status();
  const Certificate& leaf = chain->front();
  if (X509_check_private_key(leaf.get(), key->get()) != 1) {
    ERR_clear_error();
    return BadFile(paths.key_file,
                   absl::StrCat("is not the key of ", SubjectOf(leaf), " in ", paths.cert_file));
  }
  if (absl::Status status = CheckChain(paths.cert_file, *chain, now); !status.ok()) return status;
  if (absl::Status status = TryToUse(paths, *chain, *key); !status.ok()) return status;
  return Certificates{.chain = PemOf(*chain),
                      .key = PemOf(*key),
                      .client_cas = {},
                      .crls = {},
                      .expired_issuers = {},
                      .subject = SubjectOf(leaf),
                      .not_after = TimeOf(X509_get0_notAfter(leaf.get())),
                      .fingerprint = FingerprintOf(leaf)};
}

}  // namespace

absl::StatusOr<Certificates> Validate(const Paths& paths, const Files& files, absl::Time now) {
  absl::StatusOr<Certificates> certificates = ValidateServer(paths, files, now);
  if (!certificates.ok() || paths.client_ca_file.empty()) return certificates;
  const auto cas = ReadCertificates(paths.client_ca_file, files.client_cas);
  if (!cas.ok()) return cas.status();
  if (absl::Status status = CheckClientCas(paths.client_ca_file, *cas, now); !status.ok()) {
    return status;
  }
  certificates->client_cas = PemOf(*cas);
  if (absl::Status status = ReadCrls(files, *cas, now, *certificates); !status.ok()) return status;
  return certificates;
}

}  // namespace content::tls
