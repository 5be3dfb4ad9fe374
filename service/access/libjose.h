#pragma once

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

// The headers of libjose do not say that they are for C. Those that they include do, above.
extern "C" {
#include <jose/b64.h>
#include <jose/cfg.h>
#include <jose/jws.h>
#include <jose/openssl.h>
}
