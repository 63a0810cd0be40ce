using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Waterspout.Tests;

/// <summary>Makes one test case for each setting of a test's class out of each that xunit finds.</summary>
public sealed class SettingsFramework : XunitTestFramework
{
    protected override ITestFrameworkDiscoverer CreateDiscoverer(Assembly assembly) =>
        new Discoverer(new XunitTestAssembly(assembly, configFileName: null, assembly.GetName().Version));

    private sealed class Discoverer(IXunitTestAssembly assembly) : XunitTestFrameworkDiscoverer(assembly)
    {
        protected override ValueTask<bool> FindTestsForMethod(
            IXunitTestMethod testMethod, ITestFrameworkDiscoveryOptions discoveryOptions, Func<ITestCase, ValueTask<bool>> discoveryCallback)
        {
            return base.FindTestsForMethod(testMethod, discoveryOptions, AddSettings);

            async ValueTask<bool> AddSettings(ITestCase found)
            {
                if (testMethod.TestClass.Class.GetCustomAttribute<SettingsAttribute>() is not { } asked)
                    return !new Setting(PollerKind.Default).IsOfThisProgram || await discoveryCallback(found);
                foreach (Setting setting in asked.Settings)
                    if (setting.IsOfThisProgram && !await discoveryCallback(With(found, setting))) return false;
                return true;
            }
        }

        private static XunitTestCase With(ITestCase found, Setting setting)
        {
            // Data that cannot be written down as text is one test case for xunit, which makes its tests itself.
            if (found is not XunitTestCase test || found is XunitDelayEnumeratedTheoryTestCase)
                throw new NotSupportedException($"{found.TestCaseDisplayName} has data that xunit does not serialize.");
            return new XunitTestCase(
                test.TestMethod, $"{test.TestCaseDisplayName} [{setting}]", $"{test.UniqueID} [{setting}]", test.Explicit,
                test.SkipExceptions, test.SkipReason, test.SkipType, test.SkipUnless, test.SkipWhen,
                setting.AddTo(test.Traits), test.TestMethodArguments, test.SourceFilePath, test.SourceLineNumber, test.Timeout);
        }
    }
}
