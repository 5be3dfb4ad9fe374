#include "support/certificates.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/time/clock.h"

namespace content::testing {
namespace {

namespace fs = std::filesystem;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

std::time_t FromNow(absl::Duration duration) { return absl::ToTimeT(absl::Now() + duration); }

Bio Reader(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(const Bio& written) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(written.get(), &data);
  return {data, static_cast<size_t>(size)};
}

Certificate ParseCertificate(const std::string& pem) {
  return Certificate(PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr));
}

Key ParseKey(const std::string& pem) {
  return Key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, nullptr, nullptr));
}

std::string Encode(const Certificate& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return TextOf(bio);
}

std::string Encode(const Key& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio);
}

std::string Encrypt(const std::string& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  std::string passphrase = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), ParseKey(key).get(), EVP_aes_256_cbc(),
                                passphrase.data(), static_cast<int>(passphrase.size()), nullptr,
                                nullptr);
  return TextOf(bio);
}

void AddExtension(const Certificate& certificate, int id, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
  EXPECT_NE(extension, nullptr) << value;
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
}

void AddExtensions(const Certificate& certificate, const CertificateOptions& options) {
  AddExtension(certificate, NID_basic_constraints,
               options.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (options.is_ca) {
    AddExtension(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    AddExtension(certificate, NID_ext_key_usage, options.extended_key_usage);
    if (!options.names.empty()) AddExtension(certificate, NID_subject_alt_name, options.names);
  }
}

void SetSerialNumber(const Certificate& certificate) {
  static int64_t last = absl::ToUnixNanos(absl::Now());
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), ++last);
}

std::string NewDirectory() {
  std::string path = ::testing::TempDir() + "certificates-XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  return path;
}

Identity NewCa(const std::string& common_name, const Identity* issuer = nullptr) {
  return NewIdentity({.common_name = common_name, .is_ca = true}, issuer);
}

std::string Middle(const std::string& text) { return text.substr(0, text.size() / 2); }

void WriteServer(const OperatorFiles& files, const Identity& server) {
  files.Write("cert.pem", files.ChainOf(server));
  files.Write("key.pem", server.key);
}

// Damages that replace the server's certificate by a valid one of another kind.
std::vector<Damage> WrongServers() {
  const auto serve = [](const CertificateOptions& options) {
    return [options](const OperatorFiles& files) {
      WriteServer(files, files.NewServer(options.common_name, options));
    };
  };
  return {
      {"expired", serve({.common_name = "expired", .ends = -absl::Minutes(1)}),
       "CN=expired, which has expired on "},
      {"not yet valid", serve({.common_name = "tomorrow", .begins = absl::Hours(24)}),
       "CN=tomorrow, which is not valid before "},
      {"for clients", serve({.common_name = "of-client", .extended_key_usage = "clientAuth"}),
       "CN=of-client, whose extended key usage is not serverAuth"},
      {"weak key", serve({.common_name = "weak", .rsa_bits = 1024}),
       "cert.pem is refused by OpenSSL: ee key too small"},
      {"expired intermediate",
       [](const OperatorFiles& files) {
         const Identity old = NewIdentity(
             {.common_name = "old-ca", .is_ca = true, .ends = -absl::Minutes(1)}, &files.root);
         const Identity server = NewIdentity({.common_name = "server"}, &old);
         files.Write("cert.pem", server.certificate + old.certificate);
         files.Write("key.pem", server.key);
       },
       "CN=old-ca, which has expired on "},
      {"signed by a certificate that is no CA",
       [](const OperatorFiles& files) {
         const Identity other = files.NewServer("no-ca");
         const Identity server = NewIdentity({.common_name = "server"}, &other);
         files.Write("cert.pem", server.certificate + other.certificate);
         files.Write("key.pem", server.key);
       },
       "CN=no-ca, which is not the first and not a CA"},
      {"wrong order",
       [](const OperatorFiles& files) {
         const Identity server = files.NewServer("server");
         files.Write("cert.pem",
                     server.certificate + files.root.certificate + files.intermediate.certificate);
         files.Write("key.pem", server.key);
       },
       "cert.pem is out of order: CN=server is not signed by CN=root"},
  };
}

std::vector<Damage> WrongContents() {
  return {
      {"foreign key",
       [](const OperatorFiles& files) { files.Write("key.pem", files.NewServer("other").key); },
       "key.pem is not the key of CN=server"},
      {"foreign certificate",
       [](const OperatorFiles& files) {
         files.Write("cert.pem", files.ChainOf(files.NewServer("other")));
       },
       "key.pem is not the key of CN=other"},
      {"empty certificate", [](const OperatorFiles& files) { files.Write("cert.pem", ""); },
       "cert.pem contains no certificate"},
      {"truncated certificate",
       [](const OperatorFiles& files) {
         files.Write("cert.pem", Middle(files.NewServer("server").certificate));
       },
       "cert.pem contains a certificate that cannot be read: bad end line"},
      {"garbage",
       [](const OperatorFiles& files) {
         files.Write("cert.pem", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n");
       },
       "cert.pem contains a certificate that cannot be read: bad base64 decode"},
      {"empty key", [](const OperatorFiles& files) { files.Write("key.pem", ""); },
       "key.pem contains no private key"},
      {"encrypted key",
       [](const OperatorFiles& files) {
         const Identity server = files.NewServer("server");
         files.Write("cert.pem", files.ChainOf(server));
         files.Write("key.pem", Encrypt(server.key));
       },
       "key.pem is encrypted"},
  };
}

std::vector<Damage> WrongClients() {
  return {
      {"empty clients' CAs", [](const OperatorFiles& files) { files.Write("clients.pem", ""); },
       "clients.pem contains no certificate"},
      {"no CA for clients",
       [](const OperatorFiles& files) {
         files.Write("clients.pem",
                     files.client_ca.certificate + files.NewClient("client").certificate);
       },
       "clients.pem contains CN=client, which is not a CA"},
      {"expired CA of clients",
       [](const OperatorFiles& files) {
         files.Write("clients.pem",
                     NewIdentity({.common_name = "old", .is_ca = true, .ends = -absl::Minutes(1)})
                         .certificate);
       },
       "clients.pem contains no CA that is in date"},
      {"expired revocation list",
       [](const OperatorFiles& files) {
         files.Write("crls/clients.crl", NewCrl(files.client_ca, {.ends = -absl::Minutes(1)}));
       },
       "clients.crl is a revocation list of CN=client-ca, which has expired on "},
      {"delta of a revocation list",
       [](const OperatorFiles& files) {
         files.Write("crls/delta.crl", NewCrl(files.client_ca, {.is_delta = true}));
       },
       "delta.crl is a revocation list of CN=client-ca that is not complete"},
      {"revocation list of a foreign CA",
       [](const OperatorFiles& files) {
         files.Write("crls/foreign.crl", NewCrl(files.foreign_ca));
       },
       "foreign.crl is a revocation list of CN=foreign, but not signed"},
      {"no revocation list",
       [](const OperatorFiles& files) { files.Write("crls/clients.crl", "none"); },
       "clients.crl contains no revocation list"},
      {"empty directory of revocation lists",
       [](const OperatorFiles& files) { fs::remove(files.Path("crls/clients.crl")); },
       "crls contains no files"},
      {"no directory of revocation lists",
       [](const OperatorFiles& files) { fs::remove_all(files.Path("crls")); },
       "crls cannot be read: No such file or directory"},
      {"a directory among the revocation lists",
       [](const OperatorFiles& files) { fs::create_directory(files.Path("crls/more")); },
       "crls/more is not a regular file"},
  };
}

std::vector<Damage> WrongFiles() {
  return {
      {"missing", [](const OperatorFiles& files) { fs::remove(files.Path("key.pem")); },
       "key.pem cannot be read: No such file or directory"},
      {"dangling link",
       [](const OperatorFiles& files) {
         fs::remove(files.Path("cert.pem"));
         fs::create_symlink(files.Path("nowhere"), files.Path("cert.pem"));
       },
       "cert.pem cannot be read: No such file or directory"},
      {"directory",
       [](const OperatorFiles& files) {
         fs::remove(files.Path("cert.pem"));
         fs::create_directory(files.Path("cert.pem"));
       },
       "cert.pem is not a regular file"},
      {"FIFO",
       [](const OperatorFiles& files) {
         fs::remove(files.Path("key.pem"));
         mkfifo(files.Path("key.pem").c_str(), S_IRUSR | S_IWUSR);
       },
       "key.pem is not a regular file"},
      {"too big",
       [](const OperatorFiles& files) {
         files.Write("clients.pem", std::string((size_t{1} << 20) + 1, '\n'));
       },
       "clients.pem is larger than 1 MiB"},
  };
}

}  // namespace

Identity NewIdentity(const CertificateOptions& options, const Identity* issuer) {
  const Key key(options.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned int>(options.rsa_bits))
                                     : EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  SetSerialNumber(certificate);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), FromNow(options.begins));
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), FromNow(options.ends));
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  const Certificate issuer_certificate =
      issuer != nullptr ? ParseCertificate(issuer->certificate) : nullptr;
  const Key issuer_key = issuer != nullptr ? ParseKey(issuer->key) : nullptr;
  X509_set_issuer_name(
      certificate.get(),
      X509_get_subject_name(issuer_certificate ? issuer_certificate.get() : certificate.get()));
  AddExtensions(certificate, options);
  EXPECT_NE(X509_sign(certificate.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256()),
            0);
  return {.certificate = Encode(certificate), .key = Encode(key)};
}

std::string NewCrl(const Identity& issuer, const CrlOptions& options) {
  const std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>> crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(),
                           X509_get_subject_name(ParseCertificate(issuer.certificate).get()));
  const std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>> begin(
      ASN1_TIME_set(nullptr, FromNow(options.begins)));
  const std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>> end(
      ASN1_TIME_set(nullptr, FromNow(options.ends)));
  X509_CRL_set1_lastUpdate(crl.get(), begin.get());
  X509_CRL_set1_nextUpdate(crl.get(), end.get());
  for (const Identity& revoked : options.revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(
        entry, X509_get_serialNumber(ParseCertificate(revoked.certificate).get()));
    X509_REVOKED_set_revocationDate(entry, begin.get());
    X509_CRL_add0_revoked(crl.get(), entry);
  }
  if (options.is_delta) {
    const std::unique_ptr<ASN1_INTEGER, Deleter<ASN1_INTEGER_free>> base(ASN1_INTEGER_new());
    ASN1_INTEGER_set(base.get(), 1);
    X509_CRL_add1_ext_i2d(crl.get(), NID_delta_crl, base.get(), /*crit=*/1, 0);
  }
  EXPECT_NE(X509_CRL_sign(crl.get(), ParseKey(issuer.key).get(), EVP_sha256()), 0);
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), crl.get());
  return TextOf(bio);
}

OperatorFiles::OperatorFiles()
    : root(NewCa("root")),
      intermediate(NewCa("intermediate", &root)),
      client_ca(NewCa("client-ca")),
      foreign_ca(NewCa("foreign")),
      directory_(NewDirectory()),
      server_(NewServer("server")) {
  Restore();
}

OperatorFiles::~OperatorFiles() { fs::remove_all(directory_); }

void OperatorFiles::Write(const std::string& name, const std::string& text) const {
  const std::string path = Path(name);
  if (fs::exists(fs::symlink_status(path)) && !fs::is_regular_file(fs::symlink_status(path))) {
    fs::remove_all(path);
  }
  const std::string next = Path("next");
  std::ofstream(next) << text;
  fs::rename(next, path);
}

void OperatorFiles::Restore() const {
  fs::create_directory(Path("crls"));
  WriteServer(*this, server_);
  Write("clients.pem", client_ca.certificate);
  Write("crls/clients.crl", NewCrl(client_ca));
  for (const auto& entry : fs::directory_iterator(Path("crls"))) {
    if (entry.path().filename() != "clients.crl") fs::remove_all(entry);
  }
}

Identity OperatorFiles::NewServer(const std::string& common_name,
                                  CertificateOptions options) const {
  options.common_name = common_name;
  return NewIdentity(options, &intermediate);
}

Identity OperatorFiles::NewClient(const std::string& common_name,
                                  CertificateOptions options) const {
  options.common_name = common_name;
  return NewIdentity(options, &client_ca);
}

std::string OperatorFiles::ChainOf(const Identity& server) const {
  return server.certificate + intermediate.certificate;
}

std::vector<Damage> Damages() {
  std::vector<Damage> all;
  for (const std::vector<Damage>& some :
       {WrongServers(), WrongContents(), WrongClients(), WrongFiles()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace content::testing
