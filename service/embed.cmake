# Fills in a template with the bytes of a file, as the elements of a C++ array:
#   cmake -DFILE=... -DTEMPLATE=... -DOUTPUT=... -P embed.cmake
file(READ ${FILE} BYTES HEX)
string(REGEX REPLACE "(..)" "0x\\1," BYTES "${BYTES}")
string(REGEX REPLACE "(............................................................)" "\\1\n" BYTES "${BYTES}")
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
