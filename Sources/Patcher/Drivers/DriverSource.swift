/// Where drivers come from that the target needs and the default initramfs has not (`--drivers`).
public enum DriverSource: String, Sendable, CaseIterable {
    /// The cheapest way that works: as it is, another controller, a kernel parameter, the distribution's rescue or fallback
    /// initramfs, the guest's own modules beside the initramfs.
    case auto
    /// Nothing is added to the guest for them: as it is, another controller, or a kernel parameter.
    case never
    /// The guest's own modules, beside the initramfs, for the first controller.
    case overlay
    /// The entry with the distribution's rescue or fallback initramfs becomes the default.
    case fallback
}
