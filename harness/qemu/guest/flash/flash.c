// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0
/* Registers QEMU's CFI NOR flash with a kernel whose physmap driver has no other way to be configured. */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/mtd/physmap.h>
#include <linux/mtd/partitions.h>

#ifdef CONFIG_MIPS
#define FLASH_START 0x1e000000 /* the Malta board's monitor flash */
#define FLASH_WIDTH 4
#else
#define FLASH_START 0xffbc0000 /* the PC's second pflash, below the BIOS */
#define FLASH_WIDTH 1
#endif

static struct mtd_partition parts[] = {
	{ .name = "firmware", .offset = 0, .size = 0x1f0000, .mask_flags = MTD_WRITEABLE },
	{ .name = "rootfs_data", .offset = 0x1f0000, .size = 0x200000 },
	{ .name = "nvram", .offset = 0x3f0000, .size = 0x10000 },
};
static struct physmap_flash_data data = {
	.width = FLASH_WIDTH, .nr_parts = ARRAY_SIZE(parts), .parts = parts,
};
static struct resource res = DEFINE_RES_MEM(FLASH_START, 0x400000);
static struct platform_device *device;

static int __init flash_init(void)
{
	device = platform_device_register_resndata(NULL, "physmap-flash", 0, &res, 1, &data, sizeof(data));
	return PTR_ERR_OR_ZERO(device);
}
static void __exit flash_exit(void)
{
	platform_device_unregister(device);
}
module_init(flash_init);
module_exit(flash_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The NOR flash of QEMU's PC and Malta machines");
