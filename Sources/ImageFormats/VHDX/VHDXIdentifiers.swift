internal import Storage

/// The GUIDs of regions, metadata items and the parent locator's type ([MS-VHDX] 2.2.3, 2.6.2, 2.6.2.6).
enum VHDXGUID {
    static let bat = guid(0x2dc2_7766_f623_4200, 0x9d64_115e_9bfd_4a08)
    static let metadata = guid(0x8b7c_a206_4790_4b9a, 0xb8fe_575f_050f_886e)

    static let fileParameters = guid(0xcaa1_6737_fa36_4d43, 0xb3b6_33f0_aa44_e76b)
    static let virtualDiskSize = guid(0x2fa5_4224_cd1b_4876, 0xb211_5dbe_d83b_f4b8)
    static let virtualDiskID = guid(0xbeca_12ab_b2e6_4523, 0x93ef_c309_e000_c746)
    static let logicalSectorSize = guid(0x8141_bf1d_a96f_4709, 0xba47_f233_a8fa_ab5f)
    static let physicalSectorSize = guid(0xcda3_48c7_445d_4471, 0x9cc9_e988_5251_c556)
    static let parentLocator = guid(0xa8d3_5f2d_b30b_454d, 0xabf7_d3d8_4834_ab0c)

    /// The only type of parent locator there is.
    static let vhdxParent = guid(0xb04a_efb7_d19e_4a81, 0xb789_25b8_e944_5913)

    static let zero = guid(0x0000_0000_0000_0000, 0x0000_0000_0000_0000)

    /// From the digits as the text form has them.
    private static func guid(_ high: UInt64, _ low: UInt64) -> UUID16 {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.storeBig(high, at: 0)
        bytes.storeBig(low, at: 8)
        return UUID16(textOrder: bytes.span8, at: 0)
    }
}
