// Tests count the descriptors of the process, and the unobserved exceptions in it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: TestFramework(typeof(Waterspout.Tests.SettingsFramework))]
