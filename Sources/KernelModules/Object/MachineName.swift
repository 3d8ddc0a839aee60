/// What a processor is called, by the number that an ELF object has (elf.h, `e_machine`).
enum MachineName {
    private static let names: [UInt16: String] = [
        3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390", 40: "arm", 62: "x86-64", 183: "aarch64",
        243: "riscv", 258: "loongarch",
    ]

    /// Its name, else the number.
    static func of(_ machine: UInt16) -> String { names[machine] ?? "machine \(machine)" }
}
