//! The flash device, the FLSH image, and the dialects of the `nvram` tool.
