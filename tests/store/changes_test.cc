#include "store/store_fixture.h"
