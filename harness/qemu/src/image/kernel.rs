//! The kernel and its modules. The kernel is unpacked on the host, because an emulated processor takes long to do it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arch::Arch;
use crate::error::QemuError;
use crate::tools;

/// The modules that an image loads, in this order, each after its dependencies.
const MODULES: &[&str] = &[
    "virtio_pci",
    "virtio_console",
    "virtio_net",
    "mtdblock",
    "physmap",
    "cfi_probe",
    "cfi_cmdset_0001",
];

/// The modules that an image loads besides if it imitates OpenWrt.
const OPENWRT_MODULES: &[&str] = &["bridge", "virtio_blk", "veth", "jffs2", "overlay"];

const XZ: &[u8] = b"\xfd7zXZ\0";

/// The version of the kernel that was unpacked below `root`.
///
/// # Errors
/// When there is none, or more than one.
pub(super) fn version(root: &Path) -> Result<String, QemuError> {
    let modules = root.join("lib/modules");
    let mut names = fs::read_dir(&modules).map_err(QemuError::file(&modules))?.flatten();
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.file_name().to_string_lossy().into_owned()),
        _ => Err(QemuError::Environment(format!(
            "{}: expected the modules of one kernel",
            modules.display()
        ))),
    }
}

/// The kernel as an ELF file, the form that QEMU boots fastest. `work` is a folder for temporary files.
///
/// # Errors
/// When the package's kernel has another form than expected.
pub(super) fn unpacked(arch: Arch, root: &Path, work: &Path) -> Result<Vec<u8>, QemuError> {
    let path = root.join(format!("boot/vmlinuz-{}", version(root)?));
    let packed = fs::read(&path).map_err(QemuError::file(&path))?;
    let no_kernel = || {
        QemuError::Environment(format!(
            "{}: contains no kernel that is compressed with xz",
            path.display()
        ))
    };
    let xz = tools::find("xz", "xz-utils")?;
    let mut largest = Vec::new();
    for (at, _) in packed.windows(XZ.len()).enumerate().filter(|(_, window)| *window == XZ) {
        let stream = work.join("kernel.xz");
        fs::write(&stream, &packed[at..]).map_err(QemuError::file(&stream))?;
        // xz fails because of the bytes after the stream, but has written its contents by then.
        let output = Command::new(&xz)
            .args(["--decompress", "--stdout", "--single-stream", "--quiet"])
            .arg(&stream)
            .output()
            .map_err(QemuError::file(&xz))?;
        if output.stdout.len() > largest.len() {
            largest = output.stdout;
        }
        fs::remove_file(&stream).map_err(QemuError::file(&stream))?;
    }
    match arch {
        Arch::X86_64 if largest.starts_with(b"\x7fELF") => Ok(largest),
        Arch::Mipsel if !largest.is_empty() => wrap_mips(&packed, &largest).ok_or_else(no_kernel),
        _ => Err(no_kernel()),
    }
}

/// Wraps a raw MIPS kernel in an ELF file with one segment. The entry point is the second function that the stub calls
/// (`arch/mips/boot/compressed/head.S`: `jalr` of the decompressor, then of the kernel).
fn wrap_mips(packed: &[u8], kernel: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u32::from_le_bytes(packed.get(at..at + 4)?.try_into().ok()?));
    let half = |at: usize| Some(u16::from_le_bytes(packed.get(at..at + 2)?.try_into().ok()?));
    let headers = word(28)? as usize;
    let mut load = (0..usize::from(half(44)?)).map(|n| headers + 32 * n);
    let segment = load.find(|at| word(*at) == Some(1))?;
    let code = word(segment + 4)? as usize;
    // lui t9, HIGH; addiu or ori t9, t9, LOW; jalr t9.
    let calls: Vec<u32> = (0..64)
        .filter_map(|n| {
            let at = code + 4 * n;
            let (first, second, third) = (word(at)?, word(at + 4)?, word(at + 8)?);
            (first >> 16 == 0x3c19 && third == 0x0320_f809).then(|| {
                let (high, low) = (first << 16, second & 0xffff);
                if second >> 26 == 13 {
                    high | low
                } else {
                    high.wrapping_add(i32::from(low as u16 as i16) as u32)
                }
            })
        })
        .collect();
    let entry = *calls.get(1)?;
    let flags = word(36)?;
    const START: u32 = 0x8010_0000;
    const OFFSET: u32 = 0x1000;
    let size = kernel.len() as u32;
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    let mut put = |value: u32, bytes: usize| file.extend_from_slice(&value.to_le_bytes()[..bytes]);
    for (value, bytes) in [(2, 2), (8, 2), (1, 4), (entry, 4), (52, 4), (0, 4), (flags, 4)] {
        put(value, bytes);
    }
    for value in [52, 32, 1, 40, 0, 0] {
        put(value, 2);
    }
    for value in [1, OFFSET, START, START, size, size + (4 << 20), 7, OFFSET] {
        put(value, 4);
    }
    file.resize(OFFSET as usize, 0);
    file.extend_from_slice(kernel);
    Some(file)
}

/// The modules of an image.
pub(super) struct Modules {
    /// Name and file of those that are always loaded, in their order.
    pub(super) always: Vec<(String, PathBuf)>,
    /// Of those that are loaded after them if the image imitates OpenWrt.
    pub(super) openwrt: Vec<(String, PathBuf)>,
}

/// The modules of an image.
///
/// # Errors
/// When the modules cannot be read.
pub(super) fn modules(root: &Path) -> Result<Modules, QemuError> {
    let mut files = BTreeMap::new();
    collect(&root.join("lib/modules").join(version(root)?).join("kernel"), &mut files)?;
    let mut order = Vec::new();
    for name in MODULES {
        visit(name, &files, &mut order)?;
    }
    let always = order.len();
    for name in OPENWRT_MODULES {
        visit(name, &files, &mut order)?;
    }
    let openwrt = order.split_off(always);
    Ok(Modules { always: order, openwrt })
}

fn collect(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), QemuError> {
    for entry in fs::read_dir(folder).map_err(QemuError::file(folder))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "ko") {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
            files.insert(stem, path);
        }
    }
    Ok(())
}

fn visit(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    order: &mut Vec<(String, PathBuf)>,
) -> Result<(), QemuError> {
    let name = name.replace('-', "_");
    if order.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    // A driver without a module is built into the kernel.
    let Some(path) = files.get(&name) else { return Ok(()) };
    let bytes = fs::read(path).map_err(QemuError::file(path))?;
    for dependency in depends(&bytes) {
        visit(&dependency, files, order)?;
    }
    order.push((name, path.clone()));
    Ok(())
}

/// The value of `depends=` in the section `.modinfo`.
fn depends(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let list = module[at + KEY.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let list = String::from_utf8_lossy(list);
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

const SOURCE: &str = include_str!("../../guest/flash/flash.c");
const MAKEFILE: &str = include_str!("../../guest/flash/Makefile");

/// The contents that do not come from packages.
pub(super) fn own_inputs() -> impl Iterator<Item = &'static str> {
    [SOURCE, MAKEFILE]
        .into_iter()
        .chain(MODULES.iter().copied())
        .chain(OPENWRT_MODULES.iter().copied())
}

/// Builds the module that registers the flash chip, with the headers below `root`.
///
/// # Errors
/// When a tool is not installed, or the module does not compile.
pub(super) fn flash_module(arch: Arch, root: &Path, work: &Path) -> Result<Vec<u8>, QemuError> {
    let compiler = format!("{}gcc", arch.cross_prefix());
    let package = if arch.cross_prefix().is_empty() { "gcc" } else { "gcc-mipsel-linux-gnu" };
    tools::find(&compiler, package)?;
    let make = tools::find("make", "make")?;
    let headers = root.join(format!("usr/src/linux-headers-{}", version(root)?));
    // The Makefile of the package contains the path at which the package is normally installed.
    let makefile = headers.join("Makefile");
    let text = fs::read_to_string(&makefile).map_err(QemuError::file(&makefile))?;
    let own = root.join("usr/src").display().to_string();
    if !text.contains(&own) {
        let text = text.replace("/usr/src/", &format!("{own}/"));
        fs::write(&makefile, text).map_err(QemuError::file(&makefile))?;
    }
    let folder = work.join("flash");
    fs::create_dir_all(&folder).map_err(QemuError::file(&folder))?;
    for (name, text) in [("flash.c", SOURCE), ("Makefile", MAKEFILE)] {
        fs::write(folder.join(name), text).map_err(QemuError::file(&folder))?;
    }
    let mut command = Command::new(make);
    command.arg("-s").arg("-C").arg(&headers).arg(format!("M={}", folder.display()));
    if arch == Arch::Mipsel {
        command.arg("ARCH=mips").arg(format!("CROSS_COMPILE={}", arch.cross_prefix()));
    }
    tools::run(command.arg("modules"))?;
    let module = folder.join("flash.ko");
    let strip = tools::find(&format!("{}strip", arch.cross_prefix()), "binutils")?;
    tools::run(Command::new(strip).arg("--strip-debug").arg(&module))?;
    fs::read(&module).map_err(QemuError::file(&module))
}
